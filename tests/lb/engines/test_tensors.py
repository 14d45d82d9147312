"""Tensors of every kind come in, and go out as they came."""

import subprocess
import sys

import numpy as np
import pytest

from lb.engines.deepseek import rebalance_experts
from lb.engines.tensors import from_tensor, is_tensor, like

LOAD = [[7, 1, 2, 2], [1, 9, 1, 1]]
DTYPES = [
    "bfloat16", "float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64",
]  # fmt: skip


@pytest.fixture
def torch():
    """torch, where it is installed."""
    return pytest.importorskip("torch", reason="tensors need torch: pip install torch")


def test_arrays_pass_as_they_are():
    """Arrays of numpy and lists are left to the checks of the problem."""
    array = np.ones((1, 2))
    assert from_tensor(array) is array
    assert from_tensor(LOAD) is LOAD
    assert not is_tensor(array)


def test_an_answer_is_a_copy_that_may_be_written():
    """Placements are read-only; engines write into what they get."""
    kept = np.arange(4)[::2]
    kept.flags.writeable = False
    copy = like(kept, LOAD)
    copy[0] = 9
    assert copy.dtype == np.int64
    assert copy.flags.c_contiguous
    assert kept[0] == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_of_torch(torch, dtype):
    """Whatever holds small whole numbers exactly gives the same placement, in int64."""
    weight = torch.tensor(LOAD).to(getattr(torch, dtype))
    expected = rebalance_experts(np.array(LOAD), 6, 1, 1, 2)
    for one, array in zip(rebalance_experts(weight, 6, 1, 1, 2), expected, strict=True):
        assert one.dtype == torch.int64
        assert one.device == weight.device
        assert one.is_contiguous()
        np.testing.assert_array_equal(one.numpy(), array)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i2", "i4", "u8"])
def test_every_dtype_of_numpy(dtype):
    """Whatever holds small whole numbers exactly gives the same placement."""
    expected = rebalance_experts(np.array(LOAD), 6, 1, 1, 2)
    for one, array in zip(
        rebalance_experts(np.array(LOAD, dtype), 6, 1, 1, 2), expected, strict=True
    ):
        np.testing.assert_array_equal(one, array)


def test_strides_and_gradients_do_not_matter(torch):
    """A transposed view, and a leaf that wants a gradient, are read like any other."""
    weight = torch.tensor(LOAD, dtype=torch.float32).T.contiguous().T
    assert not weight.is_contiguous()
    leaf = torch.tensor(LOAD, dtype=torch.float32, requires_grad=True)
    expected = rebalance_experts(np.array(LOAD), 6, 1, 1, 2)[0]
    for one in (weight, leaf):
        slots = rebalance_experts(one, 6, 1, 1, 2)[0]
        np.testing.assert_array_equal(slots.numpy(), expected)
        assert not slots.requires_grad
    with torch.inference_mode():
        rebalance_experts(torch.tensor(LOAD), 6, 1, 1, 2)


def test_another_device_gets_its_answer_back(torch):
    """A tensor of an accelerator is answered there."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    weight = torch.tensor(LOAD, device="cuda")
    assert all(one.device == weight.device for one in rebalance_experts(weight, 6, 1, 1, 2))


def test_adapters_import_no_engine_and_no_torch():
    """Importing every adapter loads neither; importing lb loads no adapter."""
    code = (
        "import sys, lb; assert not [n for n in sys.modules if n.startswith('lb.engines')]; "
        "import lb.engines.deepseek, lb.engines.vllm, lb.engines.sglang, lb.engines.vllm_ascend, "
        "lb.engines.tensorrt_llm, numpy as np; "
        "lb.engines.deepseek.rebalance_experts(np.array([[3, 1]]), 4, 1, 1, 2); "
        "print([n for n in ('torch', 'vllm', 'sglang', 'tensorrt_llm', 'vllm_ascend') "
        "if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
