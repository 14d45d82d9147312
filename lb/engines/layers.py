"""Layer numbers of MoE layers in the whole model, which may have dense layers before or between."""

import itertools
from collections.abc import Sequence

from lb.checked import checked_integer


def layer_numbers(
    count: int, first_layer: int = 0, layer_ids: Sequence[int] | None = None
) -> list[int]:
    """Return the number of each MoE layer in the model, rising.

    Parameters
    ----------
    count
        MoE layers.
    first_layer
        Number of the first; the others follow it.
    layer_ids
        The numbers themselves, instead of ``first_layer``.

    Raises
    ------
    ValueError
        If both are given, or the numbers are not ``count`` rising ones from 0 on.
    """
    first = checked_integer(first_layer, "first_layer", at_least=0)
    if layer_ids is None:
        return list(range(first, first + count))
    numbers = [checked_integer(number, "layer_ids", at_least=0) for number in layer_ids]
    if first:
        raise ValueError(f"first_layer = {first} and layer_ids name the layers twice; give one")
    if len(numbers) != count:
        raise ValueError(f"layer_ids names {len(numbers)} layers for {count} in the placement")
    if any(after <= before for before, after in itertools.pairwise(numbers)):
        raise ValueError(f"layer_ids = {numbers} must rise, in the order of the placement's layers")
    return numbers
