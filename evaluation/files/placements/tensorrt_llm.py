"""TensorRT-LLM: the YAML file of ``moe_config.load_balancer``."""

from typing import Any

from evaluation.files.placements.placement_format import PlacementFormat, SlotMap
from lb import Placement
from lb.engines import tensorrt_llm

KEY = "initial_global_assignments"


def _write(placement: Placement, first_layer: int, _: int | None) -> str:
    return tensorrt_llm.load_balancer(placement, first_layer=first_layer)


def _read(content: bytes) -> SlotMap | None:
    import yaml

    try:
        value = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(value, dict) or KEY not in value:
        return None
    return SlotMap(_rows(value[KEY], value.get("num_slots")))


def _rows(layers: Any, num_slots: Any) -> list[Any]:
    """Return the row of each layer, in the order of the layers' numbers."""
    if not isinstance(layers, dict) or not all(type(number) is int for number in layers):
        raise ValueError(f"{KEY} must map the number of each layer to a list of experts")
    rows = [layers[number] for number in sorted(layers)]
    for number, row in zip(sorted(layers), rows, strict=True):
        if not isinstance(row, list) or (num_slots is not None and len(row) != num_slots):
            raise ValueError(f"layer {number} must list num_slots = {num_slots!r} experts")
    return rows


TENSORRT_LLM = PlacementFormat((".yaml", ".yml"), _write, _read, numbered=True)
