"""A drop-in for deepseek-ai/EPLB."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from lb.engines.deepseek import Rebalance, rebalance_experts

# github.com/deepseek-ai/EPLB, eplb.py at ff2cba52, and SGLang 0.5.23's copy of it
NAMES = ["weight", "num_replicas", "num_groups", "num_nodes", "num_gpus"]


def _consistent(load, slots, slots_of, replicas, ranks):
    """Assert that three maps say the same, place every expert, and none twice on a rank."""
    layers, experts = load.shape
    assert slots.shape[0] == layers
    assert replicas.shape == load.shape
    assert slots_of.shape == (layers, experts, replicas.max())
    assert all(one.dtype == np.int64 for one in (slots, slots_of, replicas))
    assert replicas.min() >= 1
    assert (replicas.sum(axis=1) == slots.shape[1]).all()
    for layer in range(layers):
        for expert in range(experts):
            count = replicas[layer, expert]
            listed = slots_of[layer, expert]
            assert (listed[count:] == -1).all()
            np.testing.assert_array_equal(listed[:count], np.flatnonzero(slots[layer] == expert))
        for held in slots[layer].reshape(ranks, -1):
            assert len(set(held.tolist())) == held.size


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_three_maps_agree(ranks, width, layers, seed):
    """For random loads the maps are consistent and feasible, without a duplicate on a rank."""
    generator = np.random.default_rng(seed)
    experts = int(generator.integers(width, ranks * width + 1))
    load = generator.choice([0.0, 1.0, 50.0], size=(layers, experts)) * generator.random()
    _consistent(load, *rebalance_experts(load, ranks * width, 1, 1, ranks), ranks)


def test_it_is_called_as_the_original():
    """Positions and names of the arguments are those of deepseek-ai/EPLB."""
    assert list(inspect.signature(rebalance_experts).parameters) == NAMES
    assert list(inspect.signature(Rebalance()).parameters) == NAMES


def test_readme_example_of_eplb():
    """The published example: 12 experts in 4 groups, 16 slots on 8 ranks of 2 nodes."""
    weight = np.array(
        [
            [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
            [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
        ]
    )
    slots, slots_of, replicas = Rebalance(solver="eplb")(weight, 16, 4, 2, 8)
    _consistent(weight, slots, slots_of, replicas, 8)
    published = [[5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1],
                 [7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1]]  # fmt: skip
    np.testing.assert_array_equal(slots, published)


@pytest.mark.parametrize(("groups", "nodes"), [(1, 1), (8, 4), (6, 4)])
def test_the_eplb_solver_answers_as_the_engines_copy(engine_file, groups, nodes):
    """SGLang carries the original; its maps are ours where no two loads are equal."""
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    original = engine_file("sglang.srt.eplb.eplb_algorithms.deepseek")
    weight = torch.tensor(np.random.default_rng(4).lognormal(size=(5, 48)) * 1e4)
    hierarchical = groups % nodes == 0
    theirs = original.rebalance_experts(weight, 64, groups, nodes, 16, hierarchical)
    ours = Rebalance(solver="eplb")(weight, 64, groups, nodes, 16)
    for one, other in zip(ours[::2], theirs[::2], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(*(np.sort(one[1].numpy(), axis=2) for one in (ours, theirs)))


def test_no_redundancy_is_a_permutation():
    """As many slots as experts: each has one."""
    slots, slots_of, replicas = rebalance_experts(np.arange(8.0)[None], 8, 1, 1, 4)
    assert sorted(slots[0]) == list(range(8))
    assert slots_of.shape == (1, 8, 1)
    assert (replicas == 1).all()


def test_without_load_every_expert_is_placed():
    """A model that was just started has counted nothing."""
    load = np.zeros((2, 6), dtype=np.int32)
    _consistent(load, *rebalance_experts(load, 8, 1, 1, 4), 4)


def test_groups_that_do_not_divide_over_nodes_are_left_out():
    """As the original, which is global then: neither 5 groups of 8 experts nor 3 nodes matter."""
    load = np.arange(8.0)[None]
    expected = Rebalance(solver="eplb")(load, 8, 1, 1, 4)[0]
    np.testing.assert_array_equal(Rebalance(solver="eplb")(load, 8, 5, 3, 4)[0], expected)


def test_a_solver_and_its_parameters():
    """Any registered solver, or any callable, places."""
    load = np.arange(8.0)[None]
    by_name = Rebalance(solver="random", params={"seed": 3})(load, 8, 1, 1, 4)[0]
    by_call = Rebalance(solver=lb.make("random", seed=3))(load, 8, 1, 1, 4)[0]
    np.testing.assert_array_equal(by_name, by_call)


@pytest.mark.parametrize(
    ("weight", "numbers", "text"),
    [
        ([[1, 2, 3]], (5, 1, 1, 2), "num_replicas = 5 over num_gpus = 2 leaves 1 over"),
        ([[1, 2, 3]], (2, 1, 1, 2), "2 slots < 3 experts"),
        ([[1, 2]], (6, 1, 1, 2), "a rank would hold one expert twice"),
        ([[1, float("nan")]], (2, 1, 1, 2), "load at layer 0, expert 1 is nan"),
        ([[1, float("inf")]], (2, 1, 1, 2), "it must be finite"),
        ([[1, -2]], (2, 1, 1, 2), "is -2.0; it must be finite and >= 0"),
        ([1, 2], (2, 1, 1, 2), "load has shape \\(2,\\)"),
        ([[]], (2, 1, 1, 2), "no axis"),
        ([[True, False]], (2, 1, 1, 2), "dtype bool"),
        ([[1, 2]], (2, 1, 1, 0), "num_gpus = 0 < 1"),
        ([[1, 2]], (2, 1, 0, 2), "num_nodes = 0 < 1"),
        ([[1, 2]], (2, 0, 1, 2), "num_groups = 0 < 1"),
        ([[1, 2]], (2.5, 1, 1, 2), "num_replicas = 2.5 is not an integer"),
        ([[1, 2, 3]], (6, 2, 1, 2), "expert_groups = 2"),
        ([[1, 2, 3, 4]], (6, 4, 4, 2), "num_gpus = 2 over num_nodes = 4"),
    ],
)
def test_bad_input_is_refused_in_words(weight, numbers, text):
    """Where the original asserts, or computes with NaN."""
    with pytest.raises(ValueError, match=text):
        rebalance_experts(np.array(weight), *numbers)


def test_an_unknown_solver_is_named():
    """No fallback: the nearest name is suggested."""
    with pytest.raises(ValueError, match="did you mean 'greedy'"):
        Rebalance(solver="gredy")(np.ones((1, 2)), 2, 1, 1, 2)
