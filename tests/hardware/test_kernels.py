"""Presets of kernels are read strictly."""

import pytest

from hardware import Kernels, preset


@pytest.mark.parametrize("name", preset.available("kernels"))
def test_every_bundled_preset_is_read(name: str) -> None:
    """Each has a source, and saves no more of a launch than the launch."""
    kernels = Kernels.preset(name)
    assert kernels.source
    assert kernels.graph_saving_s <= kernels.launch_s
    assert kernels.attention_graph_saving_s <= kernels.attention_launch_s


@pytest.mark.parametrize("saving", ["graph_saving_s", "attention_graph_saving_s"])
def test_a_graph_cannot_save_more_than_a_launch(tmp_path, saving: str) -> None:
    """The saving, the launch and the fix are named."""
    text = preset.find("kernels", "cann-ascend").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(f"{saving} = 6.6e-6\n{text}")
    with pytest.raises(ValueError, match=rf"{saving} = 6.6e-06 <= .* must hold.*lower {saving}"):
        Kernels.preset(path)
    path.write_text(f"{saving} = 6.5e-6\n{text}")
    assert getattr(Kernels.preset(path), saving) == 6.5e-6
