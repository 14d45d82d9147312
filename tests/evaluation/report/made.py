"""Records as the benches write them, made up: small numbers that are easy to follow."""

from evaluation.records import record_file

SCENARIOS = ("calm", "shift")
LAYERS, RANKS, WINDOWS = 3, 4, 5


def solver(name="greedy", scenario="calm", dispatcher="even", seed=0, quality=0.9, **more):
    """A solver's record: the next window is 0.1 short of the fitted one."""
    following = [quality - 0.01 * window for window in range(WINDOWS)]
    return {
        "schema": record_file.SCHEMA,
        "podlab": "0.1.0",
        "commit": "c0ffee" * 6,
        "source_hash": "5eed" * 16,
        "host": {"system": "Linux", "machine": "x86_64", "cores": 2, "python": "3.11"},
        "date": "2026-11-25T10:00:00+00:00",
        "kind": "solver",
        "suite": "toy-v1",
        "family": "toys",
        "scenario": {"id": scenario, "trace": ["olmoe-domains"], "num_ranks": RANKS},
        "solver": name,
        "solver_file": None,
        "dispatcher": dispatcher,
        "seed": seed,
        "parameters": {},
        "trace_hash": "a" * 64,
        "fabric_hash": "b" * 64,
        "status": "ok",
        "scores": {
            "efficiency": quality,
            "balancedness_fitted": quality,
            "balancedness_next": quality - 0.1,
            "worst_layer_next": quality - 0.2,
            "moved_bytes": 1e9 * quality,
            "step_s": 0.006 / quality,
        },
        "windows": {
            "balancedness_next": following,
            "balancedness_fitted": [quality] * WINDOWS,
            "ideal_s": [quality] * WINDOWS,
            "step_s": [0.99] * WINDOWS,
            "migration_s": [0.01] * WINDOWS,
        },
        "layers": {"balancedness_next": [0.7, 0.8, quality], "bound_next": [1.0, 1.0, 1.0]},
        "rank_load": {
            "layers": [0, 1, 2],
            "relative": [[1, 1, 1, 1], [0.5, 1.5, 1, 1], [0.9, 0.9, 1, 1.2]],
        },
        "breakdown": {"attention": 0.003, "experts": 0.002, "waits": 0.001 / quality},
        "links": [
            {"link": "die0.0 – l1", "utilisation": 0.25, "others": 3},
            {"link": "die0.1 – l1", "utilisation": 0.5, "others": 0},
        ],
        "cost": {"ratio": 10 * quality, "reference": "greedy"},
        "wall": {"total_s": 1.0, "solve_s_median": 0.001},
        **more,
    }


def failed(name="fragile", scenario="calm", reason="ValueError: no", status="failed", **more):
    """A solver's record without scores."""
    record = solver(name, scenario, **more)
    for field in ("scores", "windows", "layers", "rank_load", "breakdown", "links", "cost"):
        del record[field]
    return {**record, "status": status, "reason": reason}


def forecaster(name="last", scenario="calm", quality=0.8):
    """A forecaster's record."""
    record = solver(scenario=scenario)
    for field in ("solver", "solver_file", "dispatcher", "rank_load", "breakdown", "links", "cost"):
        del record[field]
    return record | {
        "kind": "forecast",
        "suite": "guess-v1",
        "forecaster": name,
        "forecaster_file": None,
        "scores": {"balancedness_even": quality, "error": 1 - quality},
        "windows": {"balancedness_even": [quality, quality - 0.1]},
        "layers": {"balancedness_even": [quality, quality]},
    }


def scheduler(name="round-robin", stage="job", scenario="hour", goodput=100.0):
    """A scheduler's record, its times from 0.1 s to 1.1 s."""
    record = solver(name, scenario)
    for field in ("dispatcher", "windows", "layers", "rank_load", "breakdown", "links", "cost"):
        del record[field]
    return record | {
        "kind": "serving",
        "suite": "hours-v1",
        "stage": stage,
        "scores": {"goodput": goodput, "share": 0.9, "ttft_p99_s": 50 / goodput},
        "distribution": {
            "ttft_s": [0.1 + at / 100 for at in range(101)],
            "tpot_s": [0.02 + at / 10_000 for at in range(101)],
        },
    }


def suite(seeds=(0,)):
    """Three solvers and two dispatchers on both scenarios."""
    qualities = {"contiguous": 0.5, "greedy": 0.9, "robust": 0.95}
    return [
        solver(
            name, scenario, dispatcher, seed, quality - 0.2 * (scenario == "shift") + 0.001 * seed
        )
        for name, quality in qualities.items()
        for scenario in SCENARIOS
        for dispatcher in ("even", "optimal")
        for seed in seeds
    ]


def everything():
    """Records of every kind, with failures, an untrusted name, and one that does not compare."""
    hostile = '<script>alert("x")</script>'
    curve = [
        {"parameter": "budget", "value": 1, "ratio": 1.0, "balancedness": 0.8},
        {"parameter": "budget", "value": 9, "ratio": 9.0, "balancedness": 0.9},
    ]
    return [
        *suite(seeds=(0, 1, 2)),
        solver("tuned", quality=0.7, cost={"ratio": 9.0, "curve": curve}),
        solver("tuned", "shift", quality=0.7, cost={"ratio": 9.0, "curve": curve}),
        *(solver(hostile, one, quality=0.6, solver_file="f" * 64) for one in SCENARIOS),
        failed("fragile", reason=hostile),
        failed("zeros", status="infeasible", reason="every slot holds expert 0"),
        solver("greedy", trace_hash="c" * 64),
        *(
            forecaster(name, one, q)
            for name, q in (("last", 0.8), ("mean", 0.7))
            for one in SCENARIOS
        ),
        *(scheduler(name, goodput=g) for name, g in (("round-robin", 100.0), ("random", 90.0))),
        scheduler("fcfs", "batch"),
    ]
