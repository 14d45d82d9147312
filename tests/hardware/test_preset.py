"""Presets are read strictly, and errors name file, key and how to fix it."""

from pathlib import Path

import pytest

from hardware import Device, Fabric, Model, available
from hardware.preset import FOLDER, parse

DEVICE = (FOLDER / "devices" / "ascend-910c-die.toml").read_text(encoding="utf-8")


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cores =", "corse =", r"mine\.toml: unknown key 'corse'; did you mean 'cores'"),
        ("hbm_bytes = 64e9", "", r"mine\.toml: key 'hbm_bytes' is missing; add it"),
        ("1.6e12", "-1.6e12", r"hbm_bytes_per_s = -1600000000000.0; give a finite number > 0"),
        ('"cann-ascend"', "1", r"kernels = 1; give the name of a kernels preset"),
        ("dies_per_chip = 2", "dies_per_chip = true", r"dies_per_chip = True; give an integer"),
        ("bf16 = 376e12", "bf16 = 0", r"flops = .*bf16 = 0; give a finite number > 0"),
        ("[flops]", "[flops", r"mine\.toml: not TOML"),
    ],
)
def test_a_bad_preset_names_file_key_and_mend(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """Unknown, missing, impossible and mistyped keys are each refused in words."""
    assert old in DEVICE
    with pytest.raises(ValueError, match=message):
        Device.preset(_file(tmp_path, DEVICE.replace(old, new, 1)))


def test_a_users_own_file_reads_like_the_bundled_one(tmp_path: Path) -> None:
    """A path to a file of the same keys gives the same device."""
    assert Device.preset(_file(tmp_path, DEVICE)) == Device.preset("ascend-910c-die")


def test_an_unknown_name_suggests_the_nearest_and_lists_all() -> None:
    """A misspelt name is never replaced silently."""
    with pytest.raises(ValueError, match=r"did you mean 'deepseek-v3'.*olmoe-1b-7b"):
        Model.preset("deepsek-v3")


def test_a_missing_file_and_an_unknown_kind_are_refused() -> None:
    """Neither is taken for something else."""
    with pytest.raises(ValueError, match="no such preset file"):
        Device.preset("nowhere.toml")
    with pytest.raises(ValueError, match="kind = 'planets'"):
        available("planets")


def test_every_bundled_preset_loads_and_says_its_source() -> None:
    """Each kind has presets, each readable, each with a source."""
    for name in available("devices"):
        assert Device.preset(name).source
    for name in available("models"):
        assert Model.preset(name).source
    for name in available("fabrics"):
        assert Fabric.preset(name, 1).figures["source"]


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """What was read before is kept, but not beyond a change, and belongs to who read it."""
    path = tmp_path / "mine.toml"
    path.write_text("a = [1]\n")
    first = parse(path)
    first["a"].append(2)
    assert parse(path) == {"a": [1]}
    path.write_text("a = [1, 2, 3]\n")
    assert parse(path) == {"a": [1, 2, 3]}
