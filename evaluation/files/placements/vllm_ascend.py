"""vLLM-Ascend: the expert map file, a list of devices for each layer."""

import json

from evaluation.files.placements.placement_format import PlacementFormat, SlotMap
from lb import Placement
from lb.engines import vllm_ascend


def _write(placement: Placement, *_: object) -> str:
    return json.dumps(vllm_ascend.expert_map(placement))


def _read(content: bytes) -> SlotMap | None:
    value = json.loads(content)
    if not isinstance(value, dict) or "layer_list" not in value:
        return None
    placement = vllm_ascend.from_expert_map(value)
    return SlotMap(placement.physical_to_logical, placement.num_ranks)


VLLM_ASCEND = PlacementFormat((".json",), _write, _read)
