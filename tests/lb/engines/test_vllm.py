"""A policy for vLLM's table."""

import inspect
import typing
from types import SimpleNamespace

import numpy as np
import pytest

import lb
from lb.engines import vllm
from lb.engines.vllm import Policy, PolicyWithMaps

# Read in vLLM's source distributions: vllm/distributed/eplb/policy/abstract.py of 0.33.0 (returns
# the slot map), 0.17.1 and 0.13.0 (return three maps), and rebalance_algo.py of 0.11.0.
FIVE = ["weight", "num_replicas", "num_groups", "num_nodes", "num_ranks"]
SIX = [*FIVE, "old_global_expert_indices"]
OLDEST = [*FIVE[:4], "num_gpus"]
LOAD = np.array([[9.0, 5, 3, 1], [1, 1, 1, 7]])
START = np.tile(np.arange(6) % 4, (2, 1))


class _Recorder:
    """A solver that remembers its problem, and stays at the current placement."""

    honours = frozenset({"max_moves"})

    def __init__(self):
        self.problem = None

    def __call__(self, problem):
        self.problem = problem
        return problem.current or lb.solve(problem, "contiguous")


def test_it_is_called_as_vllm_calls_its_policies():
    """Names, order and defaults are those of every version that was read."""
    assert list(inspect.signature(Policy.rebalance_experts).parameters) == SIX
    assert inspect.signature(PolicyWithMaps.rebalance_experts).bind(LOAD, 6, 1, 1, 2)
    assert inspect.signature(Policy.rebalance_experts).bind(LOAD, 6, 1, 1, 2, START)
    assert list(inspect.signature(vllm.rebalance_experts).parameters) == OLDEST


def test_the_installed_vllm_still_asks_the_same(engine_file):
    """The abstract policy of the vLLM at hand has our parameters."""
    pytest.importorskip("torch", reason="needs torch: pip install torch")
    abstract = engine_file("vllm.distributed.eplb.policy.abstract")
    theirs = inspect.signature(abstract.AbstractEplbPolicy.rebalance_experts)
    assert list(theirs.parameters) == SIX


def test_one_line_registers_it(engine_file):
    """The installed vLLM's table of policies maps a name to a class, which it asks as it is."""
    option = typing.Literal["default"]
    policies = engine_file(
        "vllm.distributed.eplb.policy", vllm__config__parallel={"EPLBPolicyOption": option}
    )
    policies.EPLB_POLICIES["default"] = Policy
    slots = policies.EPLB_POLICIES["default"].rebalance_experts(LOAD, 6, 1, 1, 2, START)
    assert lb.Placement(slots, 2).num_experts == 4


@pytest.mark.parametrize("groups", [1, 2])
def test_vllm_commits_what_it_gets(engine_file, groups):
    """The installed vLLM copies the map into its state and derives the other maps from it."""
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    state = engine_file(
        "vllm.distributed.eplb.eplb_state", vllm__utils__torch_utils={"PIN_MEMORY": False}
    )
    start = torch.tensor(START)
    slots = Policy.rebalance_experts(torch.tensor(LOAD).int(), 6, groups, 1, 2, start)
    assert slots.device == torch.device("cpu")
    model = SimpleNamespace(
        physical_to_logical_map=start.clone(),
        physical_to_logical_map_buffer=start.clone(),
        logical_to_physical_map=torch.full((2, 4, 8), -1),
        logical_replica_count=torch.zeros(2, 4, dtype=torch.long),
    )
    state._commit_eplb_maps(model, new_physical_to_logical_map=slots)
    placement = lb.Placement(slots.numpy(), 2)
    np.testing.assert_array_equal(model.physical_to_logical_map, placement.physical_to_logical)
    np.testing.assert_array_equal(model.logical_replica_count, placement.replica_count)
    width = placement.logical_to_physical.shape[2]
    np.testing.assert_array_equal(
        model.logical_to_physical_map[..., :width], placement.logical_to_physical
    )


def test_earlier_versions_pad_and_copy_three_maps():
    """As 0.13.0 and 0.17.1 do: pad the second map up to the 1,024 slots of their buffer."""
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    weight, start = torch.tensor(LOAD), torch.tensor(START)
    slots, slots_of, replicas = PolicyWithMaps.rebalance_experts(weight, 6, 1, 1, 2, start)
    buffer = torch.full((2, 4, 1024), -1)
    assert slots_of.shape[-1] <= buffer.shape[-1]
    padded = torch.nn.functional.pad(slots_of, (0, 1024 - slots_of.shape[-1]), value=-1)
    buffer.copy_(padded)
    start.copy_(slots)
    assert ((buffer >= 0).sum(dim=2) == replicas).all()
    assert slots.dtype == slots_of.dtype == replicas.dtype == torch.int64
    assert (start == slots).all()


def test_the_solver_sees_what_is_loaded():
    """A complete current placement reaches the problem, with the budget of moves."""
    solver = _Recorder()
    policy = Policy.configured(solver=solver, max_moves=3)
    slots = policy.rebalance_experts(LOAD, 6, 1, 1, 2, START)
    np.testing.assert_array_equal(slots, START)
    assert solver.problem.max_moves == 3
    np.testing.assert_array_equal(solver.problem.current.physical_to_logical, START)


@pytest.mark.parametrize(
    "old",
    [
        np.where(np.arange(6) < 5, START, -1),
        START[:, :4],
        np.pad(START, ((0, 0), (0, 2)), constant_values=-1),
        np.zeros_like(START),
        START[:1],
        None,
    ],
    ids=["an empty slot", "fewer ranks", "more ranks", "experts missing", "fewer layers", "none"],
)
def test_what_is_no_placement_is_not_passed_on(old):
    """The problem then has no current placement, and no budget that would count from it."""
    solver = _Recorder()
    policy = Policy.configured(solver=solver, max_moves=0)
    slots = policy.rebalance_experts(LOAD, 6, 1, 1, 2, old)
    assert solver.problem.current is None
    assert solver.problem.max_moves is None
    assert lb.Placement(slots, 2).num_experts == 4


def test_experts_that_stay_keep_their_slots():
    """Also where other slots are empty, as after new ranks joined."""
    before = Policy.rebalance_experts(LOAD, 6, 1, 1, 2)
    shuffled = before.reshape(2, 2, 3)[:, :, ::-1].reshape(2, 6).copy()
    np.testing.assert_array_equal(Policy.rebalance_experts(LOAD, 6, 1, 1, 2, shuffled), shuffled)
    shuffled[:, 0] = -1
    result = Policy.rebalance_experts(LOAD, 6, 1, 1, 2, shuffled)
    np.testing.assert_array_equal(result[:, 1:], shuffled[:, 1:])


def test_errors_come_out_by_default():
    """An engine that hands over nonsense hears of it."""
    with pytest.raises(ValueError, match="is nan"):
        Policy.rebalance_experts(LOAD * np.nan, 6, 1, 1, 2, START)


def test_keeping_returns_what_is_loaded():
    """The current placement, and a warning that names the reason."""
    policy = Policy.configured(on_error="keep")
    old = START[:, ::-1].copy()
    with pytest.warns(RuntimeWarning, match="experts stay where they are: load .* is -9"):
        kept = policy.rebalance_experts(-LOAD, 6, 1, 1, 2, old)
    np.testing.assert_array_equal(kept, old)


def test_keeping_without_a_placement_is_the_start_up_layout():
    """Where a slot is empty, and where nothing was handed over."""
    policy = Policy.configured(on_error="keep")
    for old in (None, np.full_like(START, -1)):
        with pytest.warns(RuntimeWarning, match="experts stay"):
            kept = policy.rebalance_experts(-LOAD, 6, 1, 1, 2, old)
        np.testing.assert_array_equal(kept, START)


@pytest.mark.parametrize(("weight", "slots"), [(LOAD, 3), (LOAD, 7), (LOAD[0], 6)])
def test_nothing_can_be_kept_where_nothing_fits(weight, slots):
    """Fewer slots than experts, slots that do not divide, no layers: no layout answers that."""
    policy = Policy.configured(on_error="keep")
    with pytest.raises(ValueError, match=r"slots|shape"):
        policy.rebalance_experts(weight, slots, 1, 1, 2, START)


def test_other_errors_come_out_all_the_same():
    """A rank that keeps alone would no longer agree with the others."""

    def broken(problem):
        if problem.num_experts > 2:
            raise MemoryError("this rank only")
        return lb.solve(problem, "greedy")

    with pytest.raises(MemoryError, match="this rank only"):
        Policy.configured(solver=broken, on_error="keep").rebalance_experts(LOAD, 6, 1, 1, 2, START)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"on_error": "ignore"}, "on_error = 'ignore' is neither"),
        ({"solver": "gredy"}, "did you mean 'greedy'"),
        ({"params": {"seed": 1}}, "has no parameter 'seed'"),
        ({"solver": "greedy", "max_moves": 3}, "does not honour max_moves"),
        ({"solver": _Recorder(), "max_moves": -1}, "max_moves = -1 < 0"),
    ],
)
def test_a_wrong_configuration_is_refused_at_once(parameters, text):
    """When the engine starts, not at its first rebalancing."""
    with pytest.raises(ValueError, match=text):
        Policy.configured(**parameters)


def test_the_default_solver_keeps_a_budget():
    """Without a solver's name, ranks receive no more experts than allowed, and some."""
    load = np.array([[1, 1, 90, 1, 90, 1, 1, 1]])
    now = np.array([[0, 1, 2, 4, 5, 3, 6, 7, 0, 1, 3, 5]])
    slots = Policy.configured(max_moves=2).rebalance_experts(load, 12, 1, 1, 3, now)
    assert 0 < lb.Placement(slots, 3).moves_from(lb.Placement(now, 3)).sum() <= 2
