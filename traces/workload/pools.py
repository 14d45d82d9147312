"""Two disjoint pools of recorded sequences, so that history never holds what is judged."""

import numpy as np
from numpy.typing import NDArray

#: Which sequences a stream draws from: any, or one of two halves without a common sequence.
POOLS = ("all", "history", "judged")
#: Purpose of a generator, beside those of workloads.
SPLIT = 211


def check_pool(pool: str) -> None:
    """Raise ValueError unless there is such a pool."""
    if pool not in POOLS:
        raise ValueError(f"pool = {pool!r} is not one of {', '.join(POOLS)}")


def pool_of_sequences(
    sequences: NDArray[np.int64], pool: str, name: str, seed: int
) -> NDArray[np.int64]:
    """Return the sequences of a domain that lie in ``pool``.

    Each sequence has a random number from ``seed``. The half with the lower numbers is for
    history, the other half is judged. Longer sequences are as likely in either.

    Parameters
    ----------
    sequences
        [sequences] numbers of all of the domain's.
    pool
        One of :data:`POOLS`.
    name
        Of the domain, for errors.
    seed
        Of the split; both pools of a workload must be cut with the same one.

    Raises
    ------
    ValueError
        If there are fewer than two sequences to split.
    """
    check_pool(pool)
    if pool == "all":
        return sequences
    if len(sequences) < 2:
        raise ValueError(
            f"domain {name!r} has {len(sequences)} recorded sequences < 2; two disjoint pools need "
            "one each: record more, or give pool = 'all'"
        )
    order = np.argsort(np.random.default_rng([SPLIT, seed]).random(len(sequences)))
    half = (len(sequences) + 1) // 2
    chosen = order[:half] if pool == "history" else order[half:]
    return np.sort(sequences[chosen])
