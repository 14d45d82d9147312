"""Random bits from a counter.

Word ``n`` of a stream is SplitMix64's output function of ``key + n * golden`` (Steele, Lea, Flood:
Fast splittable pseudorandom number generators, OOPSLA 2014). A step, layer and expert own a place
of the counter, so any part of a trace can be made alone and the size of the blocks changes nothing.
"""

import numpy as np

from traces.generators.kernel import part

Bits = np.uint64


@part
def word(key: Bits, place: Bits) -> Bits:
    """Return word ``place`` of the stream ``key``."""
    x = key + place * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
