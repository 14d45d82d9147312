"""Surfaces find the laws behind measurements, and say where they only extrapolate."""

from dataclasses import replace

import numpy as np
import pytest

from hardware import Device, rooflines
from hardware.surface import Surface, work_s

H800, H20 = Device.preset("h800"), Device.preset("h20")
RNG = np.random.default_rng(0)


def _product(device: Device) -> float:
    return float(rooflines.product_s(device, 4096, 7168, 2112, "fp8"))


def _work(rows: int) -> np.ndarray:
    """One launch, and stream and compute between 1 and 1,000 µs."""
    spread = 10.0 ** RNG.uniform(-6, -3, (rows, 2))
    return np.column_stack([np.full(rows, 1e-6), spread])


def _law(work: np.ndarray) -> np.ndarray:
    """Launches of 8 µs, 0.8 of the bandwidth, half of the products."""
    return 8 * work[:, 0] + np.hypot(work[:, 1] / 0.8, work[:, 2] / 0.5)


def test_work_is_a_launch_bytes_and_products_of_the_data_sheet() -> None:
    """Whatever the device's kernels reach, its work is the same; half the bandwidth, twice it."""
    launches, stream, compute = work_s(H800, _product)
    moved = 7168 * 2112 + 4096 * 7168 + 2 * 4096 * 2112
    stripe = 7168 * 128 / 150e9
    assert launches == pytest.approx(1e-6, rel=1e-3)
    assert stream == pytest.approx(np.hypot(moved / 3.35e12, stripe), rel=1e-6)
    assert compute == pytest.approx(2 * 4096 * 7168 * 2112 / 1979e12, rel=1e-6)
    slow = replace(H800, kernels=replace(H800.kernels, memory=0.1, compute=0.1, launch_s=1.0))
    assert work_s(slow, _product) == pytest.approx(work_s(H800, _product))
    assert work_s(H20, _product)[2] == pytest.approx(compute * 1979 / 296, rel=1e-6)


def test_a_fit_finds_the_law_behind_the_rows() -> None:
    """Scales are those of the law, and a device with other rates follows from them."""
    work = _work(200)
    surface = Surface.fit(work, _law(work))
    assert surface.scale == pytest.approx([8, 1.25, 2], rel=0.02)
    other = _work(50) * [1.0, 0.7, 3.0]
    assert surface.seconds(other)[0] == pytest.approx(_law(other), rel=0.02)


def test_measurements_bend_the_surface_near_by_and_not_far_away() -> None:
    """A stretch that takes 1.5 times as long is found again; a decade away physics decides."""
    work = np.column_stack([np.full(400, 1e-6), *10.0 ** RNG.uniform(-5, -3, (2, 400))])
    slow = (work[:, 1] > 5e-5) & (work[:, 1] < 2e-4) & (work[:, 2] > 5e-5) & (work[:, 2] < 2e-4)
    seconds = _law(work) * np.where(slow, 1.5, 1.0)
    surface = Surface.fit(work, seconds)
    probe = np.array([[1e-6, 1e-4, 1e-4], [1e-6, 1e-1, 1e-1]])
    found, inside = surface.seconds(probe)
    assert inside.tolist() == [True, False]
    assert found[0] == pytest.approx(1.5 * _law(probe)[0], rel=0.1)
    assert found[1] == pytest.approx(_law(probe)[1], rel=0.05)


def test_a_few_rows_of_another_device_rescale_it() -> None:
    """A device whose products reach a fifth more is found from nine rows; no row leaves it be."""
    work = _work(200)
    surface = Surface.fit(work, _law(work))

    def other(rows: np.ndarray) -> np.ndarray:
        return _law(rows * [1.0, 1.0, 1 / 1.2])

    few, probe = _work(9), _work(100)
    before = np.abs(surface.seconds(probe)[0] / other(probe) - 1)
    after = np.abs(surface.rescaled(few, other(few)).seconds(probe)[0] / other(probe) - 1)
    assert np.median(after) < 0.02 < before.max()
    streaming = np.array([[1e-6, 1e-3, 1e-9]])
    kept = surface.rescaled(streaming, _law(streaming)).scale
    assert kept[2] == pytest.approx(surface.scale[2], rel=1e-3)


def test_impossible_measurements_are_refused() -> None:
    """No rows, other shapes, and times that are not above 0."""
    for work, seconds in ((np.zeros((0, 3)), []), (_work(2), [1.0]), (_work(1), [0.0])):
        with pytest.raises(ValueError, match=r"give \[rows, 3\] and \[rows\]"):
            Surface.fit(work, seconds)
