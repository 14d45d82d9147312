"""vLLM-Ascend's policy interface and its expert map file."""

import inspect
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from lb.engines.vllm_ascend import Policy, expert_map, read_expert_map, write_expert_map

# vllm_ascend/eplb/core/policy/policy_abstract.py of vLLM-Ascend 0.23.0.post1
NAMES = ["self", "current_expert_table", "expert_workload"]
TABLE = np.array([[[0, 1, 2], [3, 0, 1]], [[0, 1, 2], [3, 0, 1]]])
HOT = np.array([[[90, 80, 0], [1, 90, 80]], [[1, 1, 1], [1, 1, 1]]])


def _refused_layers(old, new):
    """Return the layers that EplbWorker.check_expert_placement of 0.23.0.post1 would set back."""
    refused = []
    for layer, (before, after) in enumerate(zip(old, new, strict=True)):
        kept = [np.isin(one, other) for one, other in zip(after, before, strict=True)]
        if (
            len(np.unique(after)) < len(np.unique(before))
            or any(len(np.unique(rank)) < rank.size for rank in after)
            or any((a[k] != b[k]).any() for a, b, k in zip(after, before, kept, strict=True))
        ):
            refused.append(layer)
    return refused


def _random(seed, ranks, width, windows=None):
    """Return a current table and a workload of three layers."""
    generator = np.random.default_rng(seed)
    experts = int(generator.integers(width, ranks * width + 1))
    problem = lb.Problem(generator.random((3, experts)), ranks, width)
    table = lb.solve(problem, "random", seed=seed).physical_to_logical.reshape(3, ranks, width)
    shape = table.shape if windows is None else (windows, *table.shape)
    return table, generator.integers(0, 1000, shape)


def test_it_is_called_as_the_engines_policies():
    """Names and order of the arguments are those of EplbPolicy, and no configuration is needed."""
    assert list(inspect.signature(Policy.rebalance_experts).parameters) == NAMES
    assert Policy().solver


def test_the_installed_engine_still_asks_the_same(engine_file):
    """The abstract policy of the vLLM-Ascend at hand has our parameters."""
    abstract = engine_file("vllm_ascend.eplb.core.policy.policy_abstract")
    assert list(inspect.signature(abstract.EplbPolicy.rebalance_experts).parameters) == NAMES


def test_one_line_registers_it(engine_file):
    """The installed factory makes our policy where it made its default one."""
    factory = engine_file("vllm_ascend.eplb.core.policy.policy_factory", stands_in=("vllm",))
    factory.DefaultEplb = Policy
    assert factory.PolicyFactory.generate_policy(1) == Policy()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 6), st.integers(1, 5), st.sampled_from([None, 1, 3]))
def test_the_engine_accepts_every_layer(seed, ranks, width, windows):
    """All experts placed, none twice on a rank, and who stays on a rank is in the same slot."""
    table, workload = _random(seed, ranks, width, windows)
    changed, order, new = Policy().rebalance_experts(table, workload)
    assert not _refused_layers(table, new)
    moved = np.flatnonzero((new != table).any(axis=(1, 2)))
    np.testing.assert_array_equal(np.sort(order), moved)
    assert changed == bool(moved.size)


def test_the_workers_own_check_accepts_every_layer(engine_file):
    """The installed worker leaves our table as it is and sends what it must."""
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    worker = engine_file("vllm_ascend.eplb.core.eplb_worker", stands_in=("vllm",)).EplbWorker
    worker = worker.__new__(worker)
    table, workload = _random(5, 4, 3)
    old = torch.tensor(table)
    _, _, new = Policy().rebalance_experts(old, torch.tensor(workload).int())
    checked = new.clone()
    worker.check_expert_placement(old, checked)
    np.testing.assert_array_equal(checked, new)
    maps = [worker.local2global(one) for one in (old, new)]
    received = 0
    for _, receives, updated, layer in worker.compose_expert_update_info_greedy(*maps[::-1]):
        received += sum(map(len, receives.values()))
        np.testing.assert_array_equal(updated, maps[1][layer])
    before, after = (lb.Placement(one.reshape(3, -1).numpy(), 4) for one in (old, new))
    assert received == after.moves_from(before).sum() > 0


def test_loads_of_replicas_add_up():
    """Expert 0 has two slots; the solver sees the sum, window by window."""
    seen = []

    def solver(problem):
        seen.append(problem)
        return problem.current

    windows = np.stack([HOT, 2 * HOT])
    Policy(solver=solver).rebalance_experts(TABLE, windows)
    np.testing.assert_array_equal(seen[0].load[0], [[180, 160, 0, 1], [2, 2, 1, 1]])
    np.testing.assert_array_equal(seen[0].load[1], 2 * seen[0].load[0])
    np.testing.assert_array_equal(seen[0].current.physical_to_logical, TABLE.reshape(2, 6))


def test_only_layers_that_gain_change():
    """The second layer cannot be better than it is; the first is listed alone."""
    table = np.array([[[0, 1], [2, 3]], [[0, 1], [2, 3]]])
    load = np.array([[[9, 9], [1, 1]], [[4, 4], [4, 4]]])
    changed, order, new = Policy().rebalance_experts(table, load)
    assert changed
    assert order.tolist() == [0]
    np.testing.assert_array_equal(new[1], table[1])
    assert lb.Placement(new.reshape(2, 4), 2).balancedness([[9, 9, 1, 1]] * 2)[0] == 1


def test_the_largest_gain_comes_first():
    """Layer 1 gains nearly half, layer 0 a fifth."""
    table = np.array([[[0, 1], [2, 3]], [[0, 1], [2, 3]]])
    load = np.array([[[6, 6], [4, 4]], [[9, 9], [1, 1]]])
    assert Policy().rebalance_experts(table, load)[1].tolist() == [1, 0]
    assert Policy(min_gain=0.3).rebalance_experts(table, load)[1].tolist() == [1]
    assert Policy(min_gain=0.6).rebalance_experts(table, load)[0] is False


def test_a_layer_with_a_duplicate_stays():
    """EPLB may put both copies of the hot expert on one rank, which the engine refuses."""
    seen = []

    def solver(problem):
        seen.append(lb.solve(problem, "eplb"))
        return seen[-1]

    table, workload = _random(1, 3, 2)
    new = Policy(solver=solver).rebalance_experts(table, workload)[2]
    twice = seen[0].duplicate_count > 0
    assert twice.any()
    np.testing.assert_array_equal(new[twice], table[twice])
    assert not _refused_layers(table, new)


def test_without_load_nothing_changes():
    """No token was counted: there is nothing to gain."""
    changed, order, new = Policy().rebalance_experts(TABLE, np.zeros_like(HOT))
    assert not changed
    assert order.size == 0
    np.testing.assert_array_equal(new, TABLE)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_table_comes_back_as_it_came(dtype):
    """Kind and dtype of the current table, which the engine compares with the new one."""
    new = Policy().rebalance_experts(TABLE.astype(dtype), HOT)[2]
    assert new.dtype == dtype
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    table = torch.tensor(TABLE, dtype=getattr(torch, dtype))
    new_tensor = Policy().rebalance_experts(table, torch.tensor(HOT))[2]
    assert new_tensor.dtype == table.dtype
    np.testing.assert_array_equal(new_tensor, new)


@pytest.mark.parametrize(
    ("table", "load", "text"),
    [
        (TABLE, -HOT, "expert_workload at layer 0, rank 0, slot 0 is -90"),
        (TABLE, HOT[:1], "shape (1, 2, 3) for a table of shape (2, 2, 3)"),
        (TABLE[0], HOT, "current_expert_table has shape (2, 3)"),
        (np.where(TABLE == 3, -1, TABLE), HOT, "layer 0, slot 3 is -1"),
        (TABLE * 1.0, HOT, "dtype float64"),
        (TABLE, np.where(HOT == 90, np.inf, HOT), "it must be finite"),
    ],
)
def test_what_is_no_table_or_no_load(table, load, text):
    """Raised in words; or kept with a warning, where that is asked for."""
    with pytest.raises(ValueError, match=re.escape(text)):
        Policy().rebalance_experts(table, load)
    with pytest.warns(RuntimeWarning, match="experts stay where they are"):
        changed, order, new = Policy(on_error="keep").rebalance_experts(table, load)
    assert not changed
    assert order.size == 0
    np.testing.assert_array_equal(new, table)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"min_gain": 1.0}, "min_gain = 1.0 is outside"),
        ({"on_error": "skip"}, "on_error = 'skip'"),
        ({"solver": "greedy", "max_moves": 2}, "does not honour max_moves"),
        ({"dispatcher": "evn"}, "unknown dispatcher 'evn'"),
    ],
)
def test_wrong_parameters_are_refused(parameters, text):
    """Also a budget that the solver would ignore."""
    with pytest.raises(ValueError, match=text):
        Policy(**parameters).rebalance_experts(TABLE, HOT)


def test_the_expert_map_comes_back(tmp_path):
    """Written and read; the layout is the documented one."""
    placement = lb.Placement(TABLE.reshape(2, 6), 2)
    write_expert_map(placement, tmp_path / "map.json")
    content = json.loads((tmp_path / "map.json").read_text())
    assert content["moe_layer_count"] == 2
    assert content["layer_list"][1] == {
        "layer_id": 1,
        "device_count": 2,
        "device_list": [
            {"device_id": 0, "device_expert": [0, 1, 2]},
            {"device_id": 1, "device_expert": [3, 0, 1]},
        ],
    }
    read = read_expert_map(tmp_path / "map.json")
    assert read.num_ranks == 2
    np.testing.assert_array_equal(read.physical_to_logical, placement.physical_to_logical)


def test_the_engine_reads_the_expert_map(engine_file, tmp_path):
    """The installed engine finds every layer's table in the file."""
    pytest.importorskip("torch", reason="needs torch: pip install torch")
    utils = engine_file("vllm_ascend.eplb.core.eplb_utils", stands_in=("vllm",))
    write_expert_map(lb.Placement(TABLE.reshape(2, 6), 2), tmp_path / "map.json")
    for layer in (0, 1):
        table, slots = utils.expert_file_to_tensor(str(tmp_path / "map.json"), layer)
        assert slots == 6
        np.testing.assert_array_equal(table, TABLE[layer])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: m.pop("layer_list"), "no expert map: KeyError"),
        (lambda m: m.update(moe_layer_count=3), "counts of layers and devices"),
        (lambda m: m["layer_list"][0].update(device_count=1), "counts of layers and devices"),
        (lambda m: m["layer_list"][0]["device_list"][0]["device_expert"].pop(), "same number"),
        (lambda m: m["layer_list"].clear(), "counts of layers"),
        (lambda m: m.update(layer_list=[], moe_layer_count=0), "same number"),
        (
            lambda m: m["layer_list"][0]["device_list"][0].update(device_expert=[0, 0, 1]),
            "expert 2",
        ),
        (lambda m: m["layer_list"][0]["device_list"][0].update(device_expert=7), "TypeError"),
    ],
)
def test_files_that_are_no_expert_map(tmp_path, change, text):
    """The file and what is wrong with it are named."""
    content = expert_map(lb.Placement(TABLE.reshape(2, 6), 2))
    change(content)
    path = tmp_path / "map.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=text) as caught:
        read_expert_map(path)
    assert str(path) in str(caught.value)


def test_text_that_is_no_json(tmp_path):
    """The file is named."""
    (tmp_path / "map.json").write_text("{")
    with pytest.raises(ValueError, match=r"map\.json: "):
        read_expert_map(tmp_path / "map.json")
