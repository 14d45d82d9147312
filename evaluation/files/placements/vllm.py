"""vLLM: the three maps by the names of its EPLB state."""

import json

from evaluation.files.placements.placement_format import PlacementFormat, json_maps, read_json_map
from lb import Placement


def _write(placement: Placement, *_: object) -> str:
    return json.dumps(json_maps(placement))


VLLM = PlacementFormat((".json",), _write, read_json_map)
