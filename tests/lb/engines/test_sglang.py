"""SGLang's file and its algorithm hook."""

import inspect
import json
from types import SimpleNamespace

import numpy as np
import pytest

import lb
from lb.engines import sglang
from lb.engines.sglang import Rebalance, expert_location, rebalance_experts

# python/sglang/srt/eplb/eplb_algorithms/__init__.py of SGLang 0.5.23, and the same at 046f88cb
NAMES = [
    "tokens_per_expert",
    "num_physical_experts",
    "num_local_physical_experts",
    "num_groups",
    "num_nodes",
    "algorithm",
]
PLACEMENT = lb.Placement([[3, 0, 1, 0, 2, 1], [0, 1, 2, 3, 3, 0]], num_ranks=2)


def _engine(engine_file, tmp_path):
    """Return SGLang's own expert_location, in a model of four layers on two ranks."""
    torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
    contexts = {
        "get_device": lambda: SimpleNamespace(device="cpu"),
        "get_exec": lambda: SimpleNamespace(
            moe=SimpleNamespace(
                ep_num_redundant_experts=2,
                ep_dispatch_algorithm="static",
                ep_join_mode=None,
                eplb_algorithm="auto",
                moe_a2a_backend="none",
                init_expert_location=str(tmp_path / "location.json"),
            )
        ),
        "get_parallel": lambda: SimpleNamespace(
            ep_size=2, elastic_ep_initial_size=None, nnodes=1, tp_size=2
        ),
    }
    location = engine_file(
        "sglang.srt.eplb.expert_location",
        sglang__srt__runtime_context=contexts,
        sglang__srt__elastic_ep__elastic_ep={"elastic_expanded_world_enabled": lambda: False},
    )
    layout = location.ModelConfigForExpertLocation(num_layers=4, num_logical_experts=4)
    location.ModelConfigForExpertLocation.from_model_config = staticmethod(lambda _: layout)
    location._prefer_same_node_experts = lambda: False
    return torch, location


def test_the_hook_is_called_as_sglangs_own():
    """Names and order of the arguments are those of SGLang."""
    assert list(inspect.signature(rebalance_experts).parameters) == NAMES
    assert list(inspect.signature(Rebalance()).parameters) == NAMES


def test_the_installed_sglang_still_asks_the_same(engine_file):
    """The function that the hook replaces has our parameters."""
    pytest.importorskip("torch", reason="needs torch: pip install torch")
    algorithms = engine_file("sglang.srt.eplb.eplb_algorithms")
    assert list(inspect.signature(algorithms.rebalance_experts).parameters) == NAMES


def test_sglang_reads_the_file(engine_file, tmp_path):
    """The installed SGLang starts with our placement, dense layers laid out as at start-up."""
    sglang.write_expert_location(PLACEMENT, tmp_path / "location.json", first_layer=2)
    _, location = _engine(engine_file, tmp_path)
    metadata = location.compute_initial_expert_location_metadata(None, moe_ep_rank=1)
    read = metadata.physical_to_logical_map.numpy()
    np.testing.assert_array_equal(read[2:], PLACEMENT.physical_to_logical)
    np.testing.assert_array_equal(read[:2], [[0, 1, 2, 3, 0, 1]] * 2)


def test_sglang_places_counts_through_the_hook(engine_file, tmp_path, monkeypatch):
    """Counts in the file are placed by our algorithm when SGLang starts."""
    load = np.random.default_rng(0).integers(1, 100, (3, 4, 4))
    sglang.write_logical_count(load, tmp_path / "location.json")
    torch, location = _engine(engine_file, tmp_path)
    import sglang.srt.eplb as package

    package.eplb_algorithms = SimpleNamespace(
        rebalance_experts=rebalance_experts,
        compute_algorithm=lambda **_: SimpleNamespace(name="deepseek"),
    )
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    metadata = location.compute_initial_expert_location_metadata(None, moe_ep_rank=0)
    expected = rebalance_experts(torch.tensor(load), 6, 3, None, 1)[0]
    np.testing.assert_array_equal(metadata.physical_to_logical_map, expected)


def test_the_file_has_the_map_and_nothing_else(tmp_path):
    """SGLang passes every key on as an argument, and has none but this one."""
    sglang.write_expert_location(PLACEMENT, tmp_path / "a.json")
    read = json.loads((tmp_path / "a.json").read_text())
    assert read == {"physical_to_logical_map": PLACEMENT.physical_to_logical.tolist()}


def test_layers_without_experts_get_a_row():
    """Layers 1 and 3 of five have experts."""
    rows = expert_location(PLACEMENT, layer_ids=[1, 3], num_layers=5)["physical_to_logical_map"]
    trivial = [0, 1, 2, 3, 0, 1]
    wanted = PLACEMENT.physical_to_logical.tolist()
    assert rows == [trivial, wanted[0], trivial, wanted[1], trivial]


def test_a_model_has_room_for_its_moe_layers():
    """The last MoE layer is a layer of the model."""
    with pytest.raises(ValueError, match="layer 4 is outside num_layers = 4; give at least 5"):
        expert_location(PLACEMENT, first_layer=3, num_layers=4)


def test_another_ending_would_be_read_as_json_text(tmp_path):
    """SGLang takes a name without .json for the object itself."""
    with pytest.raises(ValueError, match=r"ends in \.json"):
        sglang.write_expert_location(PLACEMENT, tmp_path / "a.txt")
    with pytest.raises(ValueError, match="load at layer 0, expert 1 is -2"):
        sglang.write_logical_count([[1, -2]], tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("algorithm", "groups"),
    [("deepseek", 1), ("deepseek_hierarchical", 4), ("deepseek_vec", 1), (None, 4)],
)
def test_groups_count_where_the_algorithm_is_hierarchical(algorithm, groups):
    """SGLang says by the name of its algorithm whether groups stay on nodes."""
    seen = []

    def solver(problem):
        seen.append(problem)
        return lb.solve(problem, "greedy")

    named = None if algorithm is None else SimpleNamespace(name=algorithm)
    hook = Rebalance(solver=solver)
    slots, slots_of, replicas = hook(np.ones((5, 2, 8)), 12, 3, 4, 2, named)
    assert (seen[0].expert_groups, seen[0].num_windows, seen[0].ranks_per_node) == (groups, 5, 2)
    assert (slots.shape, slots_of.shape[:2], replicas.shape) == ((2, 12), (2, 8), (2, 8))


@pytest.mark.parametrize(
    ("local", "algorithm", "text"),
    [
        (5, None, "num_physical_experts = 12 is no multiple of num_local_physical_experts = 5"),
        (0, None, "num_local_physical_experts = 0 < 1"),
        (3, SimpleNamespace(name="elasticity_aware"), "does not know which ranks are alive"),
    ],
)
def test_what_the_hook_cannot_answer(local, algorithm, text):
    """It raises in words instead of placing experts where none can be."""
    with pytest.raises(ValueError, match=text):
        rebalance_experts(np.ones((1, 2, 8)), 12, local, None, 1, algorithm)
