"""Auto picks the solver that the problem's fields call for."""

import numpy as np
import pytest

import lb

LOAD = np.random.default_rng(0).lognormal(size=(2, 16))
PLAIN = lb.Problem(LOAD, 4, 5)
CURRENT = lb.solve(PLAIN, "contiguous")


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, "local-search"),
        ({"current": CURRENT}, "local-search"),
        ({"current": CURRENT, "max_moves": 3}, "incremental"),
        ({"current": CURRENT, "move_price": 0.1}, "incremental"),
        ({"coactivation": np.ones((2, 16, 16))}, "affinity"),
        ({"ranks_per_node": 2, "expert_groups": 4}, "hierarchical"),
        ({"ranks_per_node": 2}, "local-search"),
        ({"ranks_per_node": 1, "expert_groups": 2}, "local-search"),
        ({"ranks_per_node": 2, "expert_groups": 4, "slots_per_rank": 9}, "local-search"),
        ({"dispatcher": "optimal"}, "robust"),
        ({"load": np.stack([LOAD] * 3)}, "robust"),
        (
            {"load": np.stack([LOAD] * 2), "current": CURRENT, "move_price": 0.1},
            "robust",
        ),
    ],
)
def test_choice(changes, chosen):
    """Auto answers as the chosen solver does."""
    problem = PLAIN.replace(**changes)
    auto = lb.make("auto")
    assert auto.choice(problem) == chosen
    np.testing.assert_array_equal(
        lb.solve(problem, auto).physical_to_logical,
        lb.solve(problem, chosen).physical_to_logical,
    )
