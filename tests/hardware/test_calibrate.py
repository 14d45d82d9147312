"""A fit finds the constants that made the timings, and leaves alone what they do not decide."""

from dataclasses import replace

import pytest

from hardware import Device, Kernels, calibrate, table

H800 = Device.preset("h800")
ROWS = table.read_rows(table.find("h800-kernels"))


def test_a_fit_recovers_the_constants_behind_the_rows() -> None:
    """Timings computed from known constants give these constants back."""
    known = replace(H800.kernels, launch_s=3e-6, memory=0.7, compute=0.5, grouped_compute=0.4)
    truth = replace(H800, kernels=known)
    rows = [{**row, "latency_us": calibrate.predict_s(truth, row) * 1e6} for row in ROWS]
    found = calibrate.fit(H800, rows, "test", "made up")
    for constant in ("launch_s", "memory", "compute", "grouped_compute", "attention_compute"):
        assert getattr(found, constant) == pytest.approx(getattr(known, constant), rel=0.02)
    assert all(errors["median"] < 0.01 for errors in found.residuals.values())


def test_the_bundled_preset_is_what_the_bundled_table_gives() -> None:
    """`podlab calibrate h800-kernels --keep attention_memory` writes the constants of hopper."""
    found = calibrate.fit(H800, ROWS, "hopper", "", ["attention_memory"])
    for constant in ("launch_s", "memory", "compute", "grouped_compute", "attention_compute"):
        assert getattr(found, constant) == pytest.approx(getattr(H800.kernels, constant), rel=0.02)


def test_what_no_row_decides_is_left_alone() -> None:
    """Dense products say nothing about attention."""
    gemms = [row for row in ROWS if row["operator"] == "gemm"]
    found = calibrate.fit(H800, gemms, "test", "")
    assert found.attention_launch_s == H800.kernels.attention_launch_s
    assert found.launch_s != replace(H800.kernels, launch_s=1.0).launch_s
    assert list(found.residuals) == ["gemm"]


def test_a_preset_is_read_back_as_it_was_written(tmp_path) -> None:
    """Kernels alone, and a device that was measured here."""
    path = tmp_path / "mine.toml"
    path.write_text(calibrate.to_toml(H800.kernels))
    assert Kernels.preset(path) == H800.kernels
    rows = [*ROWS, {**ROWS[0], "operator": "memory", "n": 2**30, "latency_us": 500.0}]
    own = calibrate.own_device("mine", {"memory_bytes": 8e9}, rows, H800.kernels)
    path.write_text(calibrate.device_toml(own))
    assert Device.preset(path) == own
    assert own.hbm_bytes_per_s == pytest.approx(2**30 / 500e-6, rel=1e-3)


def test_bad_calls_are_refused() -> None:
    """Nothing to fit, a constant that is none, no timings of memory."""
    with pytest.raises(ValueError, match="none of 0 rows"):
        calibrate.fit(H800, [], "test", "")
    with pytest.raises(ValueError, match=r"keep = \['speed'\]"):
        calibrate.fit(H800, ROWS, "test", "", ["speed"])
    with pytest.raises(ValueError, match="measure both"):
        calibrate.own_device("mine", {"memory_bytes": 1}, ROWS, H800.kernels)
    with pytest.raises(ValueError, match="operator = 'sort'"):
        calibrate.predict_s(H800, {"operator": "sort"})
