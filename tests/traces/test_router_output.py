"""What router modules return, in the shapes of known models."""

import numpy as np
import pytest

from traces.router_output import choice, chosen_otherwise, is_tensor

torch = pytest.importorskip("torch")

EXPERTS, TOP_K = 8, 2
LOGITS = torch.tensor([[0.0, 5, 1, 0, 4, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0, 8]])
IDS = torch.tensor([[1, 4], [0, 7]])
WEIGHTS = torch.tensor([[0.7, 0.3], [0.6, 0.4]])


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(LOGITS, id="a linear gate"),
        pytest.param(LOGITS.to(torch.bfloat16), id="a linear gate in bfloat16"),
        pytest.param(LOGITS.reshape(1, 2, EXPERTS), id="logits by sequence"),
        pytest.param(IDS, id="ids alone"),
        pytest.param(IDS.to(torch.int32), id="ids of 32 bits"),
        pytest.param((IDS, WEIGHTS), id="DeepSeek-V3"),
        pytest.param((IDS, WEIGHTS, None), id="DeepSeek-V2, auxiliary loss"),
        pytest.param((LOGITS.softmax(-1), IDS), id="gpt-oss"),
        pytest.param((LOGITS, WEIGHTS, IDS), id="Mixtral, Qwen3, OLMoE of transformers 5"),
        pytest.param((LOGITS, WEIGHTS), id="logits first"),
        pytest.param({"logits": LOGITS}, id="a dict"),
        pytest.param(IDS.numpy(), id="an array"),
    ],
)
def test_known_routers(output):
    """Ids are taken where there are any, else the greatest logits."""
    found = choice(output, EXPERTS, TOP_K).read(TOP_K)
    assert np.sort(found, axis=1).tolist() == [[1, 4], [0, 7]]


def test_a_buffer_used_again():
    """Ids are those of the call, whatever the router does with its buffer afterwards."""
    buffer = IDS.clone()
    found = choice(buffer, EXPERTS, TOP_K)
    buffer.zero_()
    assert found.read(TOP_K).tolist() == IDS.tolist()


@pytest.mark.parametrize(
    ("output", "shape"),
    [
        (torch.zeros(2, 5), "float32"),
        ((IDS, IDS), "int64"),
        (torch.zeros(2, 3, dtype=torch.int64), "int64"),
        (None, "NoneType"),
    ],
)
def test_what_cannot_be_read(output, shape):
    """What came is said, and that a function may choose."""
    with pytest.raises(ValueError, match=rf"returned .*{shape}.*give select="):
        choice(output, EXPERTS, TOP_K)


def test_nan_logits():
    """The top k of NaN is nothing to record."""
    logits = LOGITS.clone()
    logits[0, 3] = torch.nan
    with pytest.raises(ValueError, match="a logit is NaN"):
        choice(logits, EXPERTS, TOP_K).read(TOP_K)


@pytest.mark.parametrize(
    ("ids", "said"),
    [(np.zeros((2, 3), int), r"shape \(2, 3\)"), (np.zeros((2, 2)), "dtype float64")],
)
def test_arrays_of_another_kind(ids, said):
    """Fractions, and another number of choices, are refused."""
    with pytest.raises(ValueError, match=said):
        choice(ids, EXPERTS, TOP_K).read(TOP_K)


def test_a_bias_elsewhere():
    """Logits of a router with a correction bias are not what is chosen; ids are."""
    router = torch.nn.Linear(4, EXPERTS)
    assert chosen_otherwise(router, LOGITS, None) is None
    router.e_score_correction_bias = torch.zeros(EXPERTS)
    assert "give select=" in chosen_otherwise(router, LOGITS, None)
    assert chosen_otherwise(router, (IDS, WEIGHTS), None) is None
    assert chosen_otherwise(router, LOGITS, lambda logits: logits) is None


def test_tensors_by_what_they_can_do():
    """Arrays are none."""
    assert is_tensor(IDS)
    assert not is_tensor(IDS.numpy())
