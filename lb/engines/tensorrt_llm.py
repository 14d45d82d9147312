"""TensorRT-LLM: the file that ``moe_config.load_balancer`` names."""

from collections.abc import Sequence
from pathlib import Path

from lb.atomic_file import write_file
from lb.checked import checked_integer
from lb.engines.layers import layer_numbers
from lb.placement import Placement


def load_balancer(
    placement: Placement,
    *,
    first_layer: int = 0,
    layer_ids: Sequence[int] | None = None,
    layer_updates_per_iter: int = 0,
) -> str:
    """Return the YAML of a ``MoeLoadBalancerConfig``.

    It names ``num_slots``, ``initial_global_assignments`` and ``layer_updates_per_iter``, and no
    ``ep_size``: the engine sets that itself, and refuses it in the file. The ranks of the engine
    must be those of the placement, since rank r takes slots r * k up to (r + 1) * k.

    Parameters
    ----------
    placement
        Of the MoE layers.
    first_layer, layer_ids
        Numbers of the MoE layers in the model: consecutive from ``first_layer`` (DeepSeek-V3: 3),
        or named one by one.
    layer_updates_per_iter
        Layers that the engine itself rebalances in one iteration; 0 keeps this placement.

    Raises
    ------
    ValueError
        If layer numbers do not fit the placement, or the updates are negative.

    Examples
    --------
    >>> print(load_balancer(Placement([[0, 1, 1, 2]], num_ranks=2), first_layer=3), end="")
    num_slots: 4
    layer_updates_per_iter: 0
    initial_global_assignments:
      3: [0, 1, 1, 2]
    """
    updates = checked_integer(layer_updates_per_iter, "layer_updates_per_iter", at_least=0)
    numbers = layer_numbers(placement.num_layers, first_layer, layer_ids)
    lines = [
        f"num_slots: {placement.num_slots}",
        f"layer_updates_per_iter: {updates}",
        "initial_global_assignments:",
    ]
    rows = placement.physical_to_logical.tolist()
    lines += [f"  {number}: {row}" for number, row in zip(numbers, rows, strict=True)]
    return "\n".join(lines) + "\n"


def write_load_balancer(
    placement: Placement,
    path: str | Path,
    *,
    first_layer: int = 0,
    layer_ids: Sequence[int] | None = None,
    layer_updates_per_iter: int = 0,
) -> None:
    """Write :func:`load_balancer` to a ``.yaml`` file."""
    text = load_balancer(
        placement,
        first_layer=first_layer,
        layer_ids=layer_ids,
        layer_updates_per_iter=layer_updates_per_iter,
    )
    write_file(text, path, ".yaml", ".yml")
