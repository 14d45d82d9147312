"""Print the tables of docs/generating.md on DeepSeek-R1's loads: recorded beside generated.

A cell is "recorded / generated". The recorded numbers are in r1_facts.py of the tests.
"""

from collections.abc import Iterator

import numpy as np

import lb
from lb.dispatchers.optimal import optimal
from tests.traces.generators.loads import r1_facts
from traces.generators import loads

NAMES = tuple(r1_facts.DEVIATION)


def main() -> None:
    """Print all tables."""
    for table in (conditions, percentiles, distances, directions, served):
        print("\n".join(table()), end="\n\n")


def conditions() -> Iterator[str]:
    """Yield deviation of log loads and hottest expert over mean, by condition."""
    yield "| condition | deviation of log load | hottest / mean |"
    yield "|---|---|---|"
    for name, (deviation, hottest) in r1_facts.DEVIATION.items():
        share = _share(name)
        found = np.log(share).std(axis=1).mean(), 256 * share.max(axis=1).mean()
        yield f"| `{name}` | {deviation} / {found[0]:.3f} | {hottest} / {found[1]:.2f} |"


def percentiles() -> Iterator[str]:
    """Yield load over mean at percentiles."""
    yield "| load / mean at percentile | " + " | ".join(map(str, r1_facts.PERCENTILES)) + " |"
    yield "|---|" + "---|" * len(r1_facts.PERCENTILES)
    for name, recorded in r1_facts.LOAD_OVER_MEAN.items():
        found = np.percentile(256 * _share(name), r1_facts.PERCENTILES, axis=1).mean(axis=1)
        cells = [f"{a:.2f} / {b:.2f}" for a, b in zip(recorded, found, strict=True)]
        yield f"| `{name}` | {' | '.join(cells)} |"


def distances() -> Iterator[str]:
    """Yield how far apart pairs of conditions are."""
    yield "| pair | total variation | correlation | log ratio | top-16 shared |"
    yield "|---|---|---|---|---|"
    for pair, recorded in r1_facts.DISTANCE.items():
        found = loads.distance(*map(_share, pair))
        values = found.total_variation, found.correlation, found.log_ratio_deviation
        cells = [f"{a} / {b:.3f}" for a, b in zip(recorded, values, strict=False)]
        yield _row(pair, [*cells, f"{recorded[3]} / {found.top_shared:.2f}"])


def directions() -> Iterator[str]:
    """Yield the part of the variance of each direction."""
    found = loads.modes({name: _share(name) for name in NAMES})
    cells = [
        f"{100 * a:.1f} / {100 * b:.1f} %"
        for a, b in zip(r1_facts.VARIANCE_SHARE, found.variance_share, strict=False)
    ]
    rest = f"1.5 / {100 * (1 - found.explained):.1f} %"
    yield "| direction | first | second | third | all others |"
    yield "|---|---|---|---|---|"
    yield f"| variance | {' | '.join([*cells, rest])} |"


def served() -> Iterator[str]:
    """Yield balancedness of plans on other conditions, even and best split."""
    head = [f"EP{ranks} × {slots}" for ranks, slots in r1_facts.RANKS_AND_SLOTS]
    yield "| plan → serve, even; best split | " + " | ".join(head) + " |"
    yield "|---|---|---|---|"
    for (plan, serve), recorded in r1_facts.PLAN_AND_SERVE.items():
        cells = []
        for shape, numbers in zip(r1_facts.RANKS_AND_SLOTS, recorded, strict=True):
            even, best = _balancedness(plan, serve, *shape)
            cells.append(f"{numbers[0]} / {even:.2f}; {numbers[1]} / {best:.2f}")
        yield _row((plan, serve), cells)


def _share(name: str) -> np.ndarray:
    return loads.preset("deepseek-r1").share(name, sample=1 + NAMES.index(name))


def _row(pair: tuple[str, str], cells: list[str]) -> str:
    return f"| `{pair[0]}`, `{pair[1]}` | {' | '.join(cells)} |"


def _balancedness(plan: str, serve: str, ranks: int, slots: int) -> tuple[float, float]:
    problem = lb.Problem(1e7 * _share(plan)[None], ranks, slots)
    placement, load = lb.solve(problem, "local-search"), _share(serve)
    even = placement.balancedness(load).mean()
    return float(even), float(placement.balancedness(load, optimal(placement, load)).mean())


if __name__ == "__main__":
    main()
