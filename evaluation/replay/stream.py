"""The stream of a workload scenario: which repetition of its workloads a seed stands for."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

#: Bytes of a hash that number a stream: few enough for the whole numbers of JSON readers (2**53).
STREAM_BYTES = 6


def stream_of(workloads: Sequence[str], seed: int) -> int:
    """Return the number of the stream that a scenario draws from its workloads with a seed.

    Scenarios of other workloads have other streams, so that they are independent repetitions.
    Scenarios of the same workloads, which differ in their deployment or dispatcher alone, have the
    same one, so that they are paired. Position in the suite, other scenarios, and the folder of a
    user's file do not matter.

    Parameters
    ----------
    workloads
        Bundled names or files, in order. Of a file the name without folder and suffix counts.
    seed
        Of the repetition.

    Returns
    -------
    int
        The first 48 bits of the SHA-256 of the JSON list of names and seed. Given to
        :func:`traces.workload.load` as ``draw``, it is a repetition.

    Examples
    --------
    >>> stream_of(["r1-decode-ep32"], 0)
    205972616869392
    >>> stream_of(["my/folder/r1-decode-ep32.toml"], 0)
    205972616869392
    """
    text = json.dumps([*(Path(name).stem for name in workloads), seed])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:STREAM_BYTES], "big")
