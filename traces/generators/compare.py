"""Compare the statistics of a recording and a generated trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.generators.frames import MOST_FRAMES, frames_of
from traces.generators.measures import OF_STEPS, OF_TOKENS, OF_WINDOWS
from traces.tokens import TokenTrace

#: A number is met within this much, absolutely, or this share of the recorded one; ours.
ABSOLUTE = 0.02
RELATIVE = 0.1
#: The same of a correlation, which short recordings know no better.
CORRELATION = 0.05


@dataclass(frozen=True)
class Row:
    """One statistic.

    Parameters
    ----------
    name
        Of the statistic.
    recorded, generated
        Its values.
    tolerance
        How far apart they may be.
    """

    name: str
    recorded: float
    generated: float
    tolerance: float

    @property
    def met(self) -> bool:
        """Whether the two are as near as that."""
        return abs(self.generated - self.recorded) <= self.tolerance


def compare(
    recorded: Any,
    generated: Any,
    window_steps: int = 8,
    more: Mapping[str, Callable[[NDArray[np.int64]], float]] | None = None,
) -> list[Row]:
    """Return the statistics of two traces beside each other.

    A statistic is met if the two differ by at most 0.02 or by a tenth of the recorded one, a
    correlation if by at most 0.05. Windows are the first 512; steps are taken over at most 512
    frames of the whole, and left out where one trace is so much longer that its frames have
    more steps. Co-activation and dependence of layers are told only of two token traces in
    memory; they shrink with the number of tokens, so that both are cut to the shorter one.

    Parameters
    ----------
    recorded, generated
        Traces in memory or on disk, in steps, of the same layers and experts.
    window_steps
        Steps of a window.
    more
        Further statistics by name, of windows [windows, layers, experts], each met within 0.02:
        next-window balancedness of a solver, for example, which :mod:`traces` knows nothing of.

    Raises
    ------
    ValueError
        If a trace has fewer than two windows, or the two have other layers or experts.
    """
    rows = []
    one, other = (frames_of(trace, window_steps, MOST_FRAMES) for trace in (recorded, generated))
    if one.counts.shape[1:] != other.counts.shape[1:]:
        raise ValueError(
            f"the traces have {one.counts.shape[1:]} and {other.counts.shape[1:]} layers and "
            "experts; compare traces of one shape"
        )
    shares = [frames.chance / frames.top_k for frames in (one, other)]
    rows += [_row(name, *map(of, shares)) for name, of in OF_WINDOWS.items()]
    steps = [frames_of(trace) for trace in (recorded, generated)]
    if steps[0].steps == steps[1].steps:
        shares = [frames.chance / frames.top_k for frames in steps]
        rows += [
            Row(name, of(shares[0]), of(shares[1]), CORRELATION) for name, of in OF_STEPS.items()
        ]
    rows += _of_tokens(recorded, generated)
    for name, of_counts in (more or {}).items():
        values = of_counts(one.counts), of_counts(other.counts)
        rows.append(Row(name, *values, ABSOLUTE))
    return [row for row in rows if not np.isnan([row.recorded, row.generated]).any()]


def _row(name: str, recorded: float, generated: float) -> Row:
    return Row(name, recorded, generated, max(ABSOLUTE, RELATIVE * abs(recorded)))


def _of_tokens(recorded: Any, generated: Any) -> list[Row]:
    if not (isinstance(recorded, TokenTrace) and isinstance(generated, TokenTrace)):
        return []
    tokens = min(recorded.num_tokens, generated.num_tokens)
    both = [trace.experts[:tokens] for trace in (recorded, generated)]
    return [
        _row(name, *(of(experts, recorded.num_experts) for experts in both))
        for name, of in OF_TOKENS.items()
    ]
