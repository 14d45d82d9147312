"""TensorRT-LLM's load-balancer file."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import lb
from lb.engines.tensorrt_llm import load_balancer, write_load_balancer

PLACEMENT = lb.Placement(np.random.default_rng(0).permuted([[0, 1, 2, 3, 0, 1]] * 3, axis=1), 3)


@dataclass
class _Config:
    """What MoeLoadBalancerConfig takes, and checks on each layer.

    Recorded from TensorRT-LLM's repository, where it was a dataclass in _torch/model_config.py and
    then a strict pydantic model in llmapi/llm_args.py: other keys are refused, ``ep_size`` among
    them, and a layer's list has ``num_slots`` entries.
    """

    num_slots: int | None = None
    initial_global_assignments: dict[int, list[int]] | None = None
    layer_updates_per_iter: int = 0
    ep_size: int | None = field(default=None, init=False)

    def layer(self, number):
        """Return the experts of one layer's slots."""
        assigned = self.initial_global_assignments[number]
        assert len(assigned) == self.num_slots
        return assigned


def test_the_engine_reads_the_file(tmp_path):
    """Parsed as the engine does: YAML into the keyword arguments of its configuration."""
    yaml = pytest.importorskip("yaml", reason="parsing needs PyYAML: pip install pyyaml")
    path = tmp_path / "moe.yaml"
    write_load_balancer(PLACEMENT, path, first_layer=3, layer_updates_per_iter=2)
    config = _Config(**yaml.safe_load(path.read_text()))
    assert config.num_slots == 6
    assert config.layer_updates_per_iter == 2
    assert list(config.initial_global_assignments) == [3, 4, 5]
    rows = [config.layer(number) for number in (3, 4, 5)]
    np.testing.assert_array_equal(rows, PLACEMENT.physical_to_logical)


def test_the_text_is_the_documented_one():
    """One line a layer, as the engine's own script writes it."""
    text = load_balancer(lb.Placement([[0, 1], [1, 0]], 2), layer_ids=[1, 3])
    assert text.splitlines() == [
        "num_slots: 2",
        "layer_updates_per_iter: 0",
        "initial_global_assignments:",
        "  1: [0, 1]",
        "  3: [1, 0]",
    ]


def test_what_no_file_says(tmp_path):
    """Negative updates, other endings: nothing is written."""
    with pytest.raises(ValueError, match="layer_updates_per_iter = -1 < 0"):
        write_load_balancer(PLACEMENT, tmp_path / "a.yaml", layer_updates_per_iter=-1)
    with pytest.raises(ValueError, match=r"ends in \.yaml or \.yml"):
        write_load_balancer(PLACEMENT, tmp_path / "a.json")
    assert not list(tmp_path.iterdir())
