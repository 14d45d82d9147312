"""Add domains of text to a law of loads that was fitted to a mixture of them."""

from collections.abc import Sequence

import numpy as np

from traces.generators.loads.law import LoadLaw
from traces.generators.loads.sequences import DOMAIN_CORRELATION

#: Standard deviation of log popularity between a domain and the mean of domains, over that of the
#: popularity itself: 0.78 and 0.88 in the bundled recordings of DeepSeek-V2-Lite (three narrow
#: tasks, mean over 26 layers, drawing of tokens taken off).
DOMAIN_DEVIATION = 0.89


def with_domains(
    law: LoadLaw,
    names: Sequence[str],
    *,
    deviation: float = DOMAIN_DEVIATION,
    sequence_correlation: float = DOMAIN_CORRELATION,
    seed: int = 0,
) -> LoadLaw:
    """Return the law with a direction more for each domain.

    Equal shares of all domains have the loads of the law as it was, whatever the phase and lengths.

    Nothing is published of DeepSeek-R1 by domain. The default deviation is that of another model on
    three narrow tasks. That directions are normal and independent of phase is an assumption.

    Parameters
    ----------
    law
        The law, whose loads are those of the domains mixed.
    names
        Of the domains.
    deviation
        Standard deviation of log popularity between a domain and the mixture, over the standard
        deviation of the popularity in the layer.
    sequence_correlation
        Of the tokens of one request within a domain; smaller than in the mixture.
    seed
        Of the directions.

    Raises
    ------
    ValueError
        If a name is there twice, or the deviation is negative.
    """
    if not 0 <= deviation <= 10:
        raise ValueError(f"deviation = {deviation} is outside 0 <= deviation <= 10")
    base = np.asarray(law.base)
    random = np.random.default_rng([law.seed, seed, len(law.domains)])
    own = random.standard_normal((len(names), *base.shape))
    own *= deviation * base.std(axis=1, keepdims=True)
    if len(names):
        own -= np.log(np.exp(own).mean(axis=0))  # the mean over domains of what they multiply is 1
    zeros = (0.0,) * len(names)
    return law.replace(
        directions=np.concatenate([np.asarray(law.directions), own.round(5)]),
        domains=(*law.domains, *names),
        recordings={name: (*row, *zeros) for name, row in (law.recordings or {}).items()},
        sequence_correlation=sequence_correlation,
    )
