"""Records made by hand, as far as a ranking reads them."""

import numpy as np

SCORES = (
    "efficiency",
    "balancedness_fitted",
    "balancedness_next",
    "balancedness_seconds_next",
    "worst_layer_next",
    "gap_to_bound",
    "slots_changed",
    "moved_bytes",
    "step_s",
    "tokens_per_s_per_chip",
)


def record(solver, ideal, scenario="one", dispatcher="even", *, seed=0, **changes):
    """Return a record of a solver, whose windows take 1 second each."""
    ideal = np.atleast_1d(np.asarray(ideal, dtype=float))
    made = {
        "schema": 2,
        "kind": "solver",
        "suite": "toy-v1",
        "family": scenario,
        "scenario": {"id": scenario},
        "solver": solver,
        "solver_file": None,
        "dispatcher": dispatcher,
        "seed": seed,
        "trace_seed": None,
        "trace_hash": f"trace of {scenario}",
        "fabric_hash": "fabric",
        "source_hash": "source",
        "parameters": {},
        "status": "ok",
        "scores": {**dict.fromkeys(SCORES, 0.5), "efficiency": float(ideal.mean())},
        "windows": {
            "ideal_s": ideal.tolist(),
            "step_s": [0.75] * len(ideal),
            "migration_s": [0.25] * len(ideal),
        },
        "cost": {"ratio": 10.0, "reference": "sort"},
        "wall": {"solve_s_median": 0.001},
    }
    return made | changes


def failed(solver, scenario="one", dispatcher="even", status="failed", **changes):
    """Return the record of a failure."""
    made = record(solver, 0.0, scenario, dispatcher, **changes)
    for key in ("scores", "windows", "cost"):
        del made[key]
    return made | {"status": status, "reason": "ValueError: no"}


def scheduler(name, goodput, scenario="a", seed=0, **changes):
    """Return the record of a scheduler whose reference is "plain"."""
    scores = {"goodput": goodput, "share": 0.5, "ttft_p99_s": 1.0, "tpot_p99_s": 0.1}
    made = {
        "kind": "serving",
        "suite": "toy-v1",
        "stage": "job",
        "solver": name,
        "reference": "plain",
        "scenario": {"id": scenario},
        "seed": seed,
        "status": "ok",
        "scores": scores,
    }
    return made | changes
