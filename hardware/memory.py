"""Memory of one rank: weights and key-value cache against the capacity of its device."""

from dataclasses import dataclass

from hardware.operators import Operators
from hardware.rooflines import FORMAT_BYTES


@dataclass(frozen=True)
class Footprint:
    """Bytes on one rank.

    Parameters
    ----------
    experts, others, cache
        Bytes of expert weights, of all other weights, and of the key-value cache.
    """

    experts: float
    others: float
    cache: float

    @property
    def total(self) -> float:
        """All bytes."""
        return self.experts + self.others + self.cache


def footprint(
    operators: Operators, slots_per_rank: int, sequences: float, kv_tokens: float
) -> Footprint:
    """Return what one rank holds.

    Parameters
    ----------
    operators
        The model, and the formats of weights and cache.
    slots_per_rank
        Routed experts that the rank holds in each MoE layer.
    sequences, kv_tokens
        Sequences on the rank, and the mean tokens of context of each.

    Notes
    -----
    Attention runs data-parallel: every rank holds all weights but the routed experts', embeddings
    and output head in 16 bits. Activations and communication buffers are not counted.
    """
    model, size = operators.model, operators.bytes_per_weight
    experts = slots_per_rank * model.moe_layers * model.expert_bytes(size)
    # Gate, up and down.
    dense = 3 * model.hidden * model.dense_inter * model.dense_layers
    shared = model.shared_params * model.moe_layers if operators.shared_local else 0
    others = (model.layers * model.attention_params + dense + shared) * size
    # In 16 bits: embeddings in and out, and the gates of all MoE layers.
    others += 2.0 * (
        2 * model.vocab * model.hidden + model.moe_layers * model.hidden * model.experts
    )
    cache = sequences * model.cache_bytes(kv_tokens, FORMAT_BYTES[operators.kv_format])
    return Footprint(experts, others, cache)


def check_fit(
    operators: Operators, slots_per_rank: int, sequences: float, kv_tokens: float
) -> Footprint:
    """Return the footprint if the device holds it; parameters as in :func:`footprint`.

    Raises
    ------
    ValueError
        Saying by how much weights and cache exceed the memory.
    """
    needed, device = footprint(operators, slots_per_rank, sequences, kv_tokens), operators.device
    missing = needed.total - device.hbm_bytes
    if missing > 0:
        raise ValueError(
            f"{operators.model.name} does not fit on {device.name}: experts {_gb(needed.experts)} "
            f"+ other weights {_gb(needed.others)} + cache {_gb(needed.cache)} = "
            f"{_gb(needed.total)} > {_gb(device.hbm_bytes)} of memory, {_gb(missing)} too much; "
            "use more ranks, fewer slots a rank, fewer sequences or a shorter context"
        )
    return needed


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def most_sequences(operators: Operators, slots_per_rank: int, kv_tokens: float) -> int:
    """Return how many sequences fit on one rank beside its weights; 0 if these alone do not.

    Parameters as in :func:`footprint`.
    """
    # The cache grows in proportion to the sequences, all else is fixed.
    weights = footprint(operators, slots_per_rank, 0, kv_tokens).total
    each = footprint(operators, slots_per_rank, 1, kv_tokens).cache
    return max(0, int((operators.device.hbm_bytes - weights) // each))
