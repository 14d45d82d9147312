"""SGLang: the file for ``--init-expert-location``."""

import json

from evaluation.files.placements.placement_format import PlacementFormat, read_json_map
from lb import Placement
from lb.engines import sglang


def _write(placement: Placement, first_layer: int, num_layers: int | None) -> str:
    return json.dumps(
        sglang.expert_location(placement, first_layer=first_layer, num_layers=num_layers)
    )


SGLANG = PlacementFormat((".json",), _write, read_json_map, numbered=True, padded=True)
