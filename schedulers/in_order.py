"""Assign requests one after another, each to the open worker that a rule chooses."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from schedulers.views import HOLD, Assigning, Ints, Requests, Workers

#: A rule: number of the request within the call, [workers] which are open for it (one at least),
#: and the running totals, to the worker that gets it.
Rule = Callable[[int, NDArray[np.bool_], Assigning], int]


def in_order(
    requests: Requests, workers: Workers, rule: Rule, order: Iterable[int] | None = None
) -> Ints:
    """Assign one request after another, and count each in before the next is looked at.

    Parameters
    ----------
    requests, workers
        As a router gets them.
    rule
        Which of the open workers gets a request.
    order
        Numbers of the requests within the call, in the order of their turn; by default the oldest
        first.

    Returns
    -------
    Ints
        [requests] the worker of each; ``HOLD`` where none was open, and those behind it go on.
    """
    totals = Assigning(workers)
    chosen = np.full(len(requests), HOLD, dtype=np.int64)
    # Plain integers: faster than numpy scalars in a loop over single requests.
    prompts, outputs = requests.prompt_tokens.tolist(), requests.output_tokens.tolist()
    for index in range(len(prompts)) if order is None else order:
        open_ones = totals.open_for(prompts[index])
        if open_ones.any():
            chosen[index] = worker = rule(index, open_ones, totals)
            totals.add(worker, prompts[index], outputs[index])
    return chosen


def lowest(load: Ints, open_ones: NDArray[np.bool_]) -> int:
    """Return the open worker of the lowest [workers] ``load``; of equal ones the first."""
    return int(np.where(open_ones, load, np.iinfo(np.int64).max).argmin())
