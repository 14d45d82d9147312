"""Read chosen experts from the output of a router module, without importing torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor, or behaves as one; torch is not imported."""
    return all(hasattr(value, name) for name in ("detach", "topk", "is_floating_point"))


class Choice:
    """The experts that one call of a router chose, kept on the router's device until they are read.

    Parameters
    ----------
    ids
        [..., top_k] expert ids, tensor or array.
    spoiled
        Whether a logit was NaN: a boolean, or a tensor of one.
    """

    def __init__(self, ids: Any, spoiled: Any = False) -> None:
        self._ids, self._spoiled = ids, spoiled

    def read(self, top_k: int) -> NDArray[Any]:
        """Return [tokens, top_k] ids in main memory.

        Raises
        ------
        ValueError
            If the last axis is not ``top_k`` long, the ids are no integers, or a logit was NaN.
        """
        ids = self._ids.cpu().numpy() if is_tensor(self._ids) else np.asarray(self._ids)
        if bool(self._spoiled):
            raise ValueError("a logit is NaN; the router chooses nothing that could be recorded")
        if ids.ndim < 1 or ids.shape[-1] != top_k:
            raise ValueError(f"ids have shape {ids.shape}; give [tokens, top_k = {top_k}]")
        if ids.dtype.kind not in "iu":
            raise ValueError(f"ids have dtype {ids.dtype}; give integers")
        return ids.reshape(-1, top_k)


def choice(output: Any, experts: int, top_k: int) -> Choice:
    """Return the experts that a router's output names, or that its logits lead to.

    An array, or an integer tensor [..., top_k], is taken as ids: alone, or as the only such one of
    a tuple, as the routers of DeepSeek-V2, DeepSeek-V3, GLM-4.5 and gpt-oss return in transformers
    4, and those of Mixtral, OLMoE and Qwen3 in transformers 5. Else a floating tensor
    [..., experts], alone or the first such one of a tuple, is taken as logits and its ``top_k``
    greatest are chosen: a gate that is a linear layer, as of Mixtral, OLMoE and Qwen3 in
    transformers 4.

    Parameters
    ----------
    output
        What the module's ``forward`` returned.
    experts, top_k
        Of the trace.

    Raises
    ------
    ValueError
        If neither is in it, or several tensors could be ids.
    """
    if isinstance(output, np.ndarray):
        return Choice(output)
    found = [one for one in _members(output) if is_tensor(one)]
    ids = [one for one in found if _is_integer(one) and one.shape[-1:] == (top_k,)]
    if len(ids) == 1:
        return Choice(ids[0].detach().clone())  # a router may use its buffer again
    logits = [one for one in found if one.is_floating_point() and one.shape[-1:] == (experts,)]
    if not ids and logits:
        scores = logits[0].detach()
        return Choice(scores.topk(top_k, dim=-1).indices, scores.isnan().any())
    shapes = ", ".join(f"{one.dtype} {list(one.shape)}" for one in found) or type(output).__name__
    raise ValueError(
        f"the router returned {shapes}; that is neither one integer tensor [tokens, top_k = "
        f"{top_k}] nor logits [tokens, experts = {experts}]: give select=, a function from the "
        "output to ids"
    )


def chosen_otherwise(module: Any, output: Any, select: Callable[[Any], Any] | None) -> str | None:
    """Return why the greatest logits are not what is chosen, if that can be seen.

    DeepSeek-V3's router (arXiv:2412.19437) adds a bias before it chooses, and limits the groups;
    where the module returns plain logits, the choice is made elsewhere.
    """
    if select is not None or not hasattr(module, "e_score_correction_bias"):
        return None
    found = [one for one in _members(output) if is_tensor(one)]
    if any(_is_integer(one) for one in found):
        return None
    return (
        "it returns logits but has an e_score_correction_bias, so that the greatest logits are not "
        "the experts chosen; give select=, for example the function of the layer that routes "
        "(route_tokens_to_experts in transformers 5)"
    )


def _members(output: Any) -> list[Any]:
    if isinstance(output, dict):
        return list(output.values())
    return list(output) if isinstance(output, list | tuple) else [output]


def _is_integer(tensor: Any) -> bool:
    return str(tensor.dtype).rpartition(".")[2].startswith(("int", "uint"))
