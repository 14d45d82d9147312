"""The maps of a placement and its number of ranks, in one JSON object."""

import json

from evaluation.files.placements.placement_format import PlacementFormat, json_maps, read_json_map
from lb import Placement


def _write(placement: Placement, *_: object) -> str:
    return json.dumps({"num_ranks": placement.num_ranks, **json_maps(placement)})


JSON = PlacementFormat((".json",), _write, read_json_map)
