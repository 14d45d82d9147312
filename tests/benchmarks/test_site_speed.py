"""How long `podlab report` takes for 1,000 records of real sizes, and how large the site is.

The README's goal is under 5 s, of 8 MB, most of which is Plotly.
"""

import json

import numpy as np
import pytest

from evaluation.report.record_files import read
from evaluation.report.site_folder import write
from tests.evaluation.report import made

CANDIDATES, SCENARIOS, SEEDS = 25, 4, 5
LAYERS, RANKS, WINDOWS = 26, 32, 11


def record(random, name, scenario, dispatcher, seed):
    """A record of a solver as large as those of the suites."""
    quality = float(random.uniform(0.5, 0.95))
    windows = {
        key: random.uniform(0.4, 0.9, WINDOWS).tolist()
        for key in ("balancedness_next", "balancedness_fitted", "ideal_s", "step_s", "migration_s")
    }
    layers = {
        key: random.uniform(0.4, 0.9, LAYERS).tolist()
        for key in ("balancedness_fitted", "balancedness_next", "bound_next")
    }
    load = random.uniform(0.5, 1.5, (LAYERS, RANKS)).round(3).tolist()
    return made.solver(
        f"solver-{name}",
        f"scenario-{scenario}",
        dispatcher,
        seed,
        quality,
        trace_seed=seed,
        windows=windows,
        layers=layers,
        rank_load={"layers": list(range(LAYERS)), "relative": load},
        links=[{"link": f"l{n} – l{n + 1}", "utilisation": n / 24, "others": 0} for n in range(24)],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A thousand records as files."""
    random = np.random.default_rng(0)
    place = tmp_path_factory.mktemp("records")
    count = 0
    for name in range(CANDIDATES):
        for scenario in range(SCENARIOS):
            for dispatcher in ("even", "optimal"):
                for seed in range(SEEDS):
                    found = record(random, name, scenario, dispatcher, seed)
                    (place / f"{count:04}.json").write_text(json.dumps(found))
                    count += 1
    assert count == 1000
    return place


@pytest.mark.benchmark(group="site")
def test_thousand_records(benchmark, folder, tmp_path):
    """From files to a site."""

    def report():
        return write(*read([folder]), tmp_path / "site")

    first = benchmark.pedantic(report, rounds=3)
    size = sum(path.stat().st_size for path in first.parent.rglob("*.*"))
    benchmark.extra_info["MB"] = size / 1e6
    assert size < 8e6
