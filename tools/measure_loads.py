"""Print the tables of docs/generating.md on DeepSeek-R1's loads: recorded beside generated.

A cell is "recorded / generated". The recorded numbers are in r1_facts.py of the tests.
"""

from collections.abc import Iterator

import numpy as np

import lb
from lb.dispatchers.optimal import optimal
from tests.traces.generators.loads import r1_facts
from traces.generators import loads
from traces.generators.loads.deepseek_r1 import deepseek_r1
from traces.generators.loads.law import LoadLaw

NAMES = tuple(r1_facts.DEVIATION)
#: Seeds other than the preset's.
SEEDS = range(1, 21)


def main() -> None:
    """Print all tables."""
    for table in (conditions, percentiles, distances, directions, served, seeds):
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
            even, best = _balancedness(_share(plan), _share(serve), *shape)
            cells.append(f"{numbers[0]} / {even:.2f}; {numbers[1]} / {best:.2f}")
        yield _row((plan, serve), cells)


def seeds() -> Iterator[str]:
    """Yield the largest miss of each kind of fact: of the preset, and of other seeds."""
    preset = _misses(loads.preset("deepseek-r1"))
    others = [_misses(deepseek_r1(seed)) for seed in SEEDS]
    yield "| largest miss | preset | other seeds: least | median | most |"
    yield "|---|---|---|---|---|"
    for name, own in preset.items():
        low, middle, high = np.percentile([one[name] for one in others], (0, 50, 100))
        yield f"| {name} | {own:.3f} | {low:.3f} | {middle:.3f} | {high:.3f} |"
    near = sum(one["plan → serve"] <= 0.03 for one in others)
    yield f"{near} of {len(others)} seeds are within 0.03"


def _misses(law: LoadLaw) -> dict[str, float]:
    """Return the largest miss of each kind of fact."""
    shares = {name: law.share(name, sample=1 + n) for n, name in enumerate(NAMES)}
    deviations = [
        np.log(shares[name]).std(axis=1).mean() / recorded - 1
        for name, (recorded, _) in r1_facts.DEVIATION.items()
    ]
    hottest = [
        256 * shares[name].max(axis=1).mean() / recorded - 1
        for name, (_, recorded) in r1_facts.DEVIATION.items()
    ]
    found = [loads.distance(shares[a], shares[b]) for a, b in r1_facts.DISTANCE]
    pairs = list(zip(found, r1_facts.DISTANCE.values(), strict=True))
    plans = [
        np.subtract(_balancedness(shares[plan], shares[serve], *shape), numbers)
        for (plan, serve), recorded in r1_facts.PLAN_AND_SERVE.items()
        for shape, numbers in zip(r1_facts.RANKS_AND_SLOTS, recorded, strict=True)
    ]
    rows = {
        "deviation of log load, relative": deviations,
        "hottest / mean, relative": hottest,
        "total variation, relative": [one.total_variation / facts[0] - 1 for one, facts in pairs],
        "log ratio, relative": [one.log_ratio_deviation / facts[2] - 1 for one, facts in pairs],
        "correlation": [one.correlation - facts[1] for one, facts in pairs],
        "top-16 shared": [one.top_shared - facts[3] for one, facts in pairs],
        "plan → serve": plans,
    }
    return {name: float(np.abs(values).max()) for name, values in rows.items()}


def _share(name: str) -> np.ndarray:
    return loads.preset("deepseek-r1").share(name, sample=1 + NAMES.index(name))


def _row(pair: tuple[str, str], cells: list[str]) -> str:
    return f"| `{pair[0]}`, `{pair[1]}` | {' | '.join(cells)} |"


def _balancedness(
    plan: np.ndarray, load: np.ndarray, ranks: int, slots: int
) -> tuple[float, float]:
    """Return balancedness on a load of the placement for another one, even and best split."""
    placement = lb.solve(lb.Problem(1e7 * plan[None], ranks, slots), "local-search")
    even = placement.balancedness(load).mean()
    return float(even), float(placement.balancedness(load, optimal(placement, load)).mean())


if __name__ == "__main__":
    main()
