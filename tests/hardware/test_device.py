"""The device holds the published peaks."""

import pytest

from hardware import Device


def test_a_910c_die_is_half_a_package() -> None:
    """752 TFLOPS BF16, 128 GB and 3.2 TB/s a package (arXiv:2506.12708v2)."""
    die = Device.preset("ascend-910c-die")
    assert die.dies_per_chip * die.flops_per_s("bf16") == 752e12
    assert die.dies_per_chip * die.hbm_bytes == 128e9
    assert die.dies_per_chip * die.hbm_bytes_per_s == 3.2e12
    kernels = die.kernels
    assert (kernels.attention_compute, kernels.attention_memory) == (0.654, 0.841)


def test_a_format_without_a_peak_is_refused() -> None:
    """The 910C has no FP8, and the message lists what it has."""
    with pytest.raises(ValueError, match="no peak for 'fp8'; it has bf16, int8"):
        Device.preset("ascend-910c-die").flops_per_s("fp8")
