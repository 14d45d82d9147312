"""Placements as files: one format for each engine, and two plain ones."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.loads import read_array
from lb import Placement
from lb.engines import sglang, tensorrt_llm, vllm_ascend

#: What the name of each format's file ends in.
ENDINGS: dict[str, tuple[str, ...]] = {
    "deepseek": (".npz",),
    "json": (".json",),
    "npy": (".npy",),
    "sglang": (".json",),
    "tensorrt-llm": (".yaml", ".yml"),
    "vllm": (".json",),
    "vllm-ascend": (".json",),
}
#: Formats that number the layers of the whole model, and the one that has a row for each.
NUMBERED = ("sglang", "tensorrt-llm")


def content(
    placement: Placement, form: str, first_layer: int = 0, num_layers: int | None = None
) -> str | bytes:
    """Return what a file of the format ``form`` holds.

    Parameters
    ----------
    placement
        What to write.
    form
        "deepseek" (the three maps phy2log, log2phy, logcnt), "json" and "npy" (the slot map),
        "sglang", "tensorrt-llm", "vllm" (the maps by the names of its state) or "vllm-ascend".
    first_layer, num_layers
        Number of the first MoE layer in the model, and layers of the model (SGLang).

    Raises
    ------
    ValueError
        If there is no such format, or it does not number layers.
    """
    if form not in ENDINGS:
        raise ValueError(f"--format {form!r} is not one of {', '.join(ENDINGS)}")
    if first_layer and form not in NUMBERED:
        raise ValueError(f"--first-layer goes with {' and '.join(NUMBERED)}, not with {form}")
    if num_layers is not None and form != "sglang":
        raise ValueError(f"--num-layers goes with sglang, not with {form}")
    if form == "sglang":
        layers = {"first_layer": first_layer, "num_layers": num_layers}
        return json.dumps(sglang.expert_location(placement, **layers))  # type: ignore[arg-type]
    if form == "tensorrt-llm":
        return tensorrt_llm.load_balancer(placement, first_layer=first_layer)
    if form == "vllm-ascend":
        return json.dumps(vllm_ascend.expert_map(placement))
    maps = (placement.physical_to_logical, placement.logical_to_physical, placement.replica_count)
    if form == "deepseek":
        return _binary(
            lambda file: np.savez(file, phy2log=maps[0], log2phy=maps[1], logcnt=maps[2])
        )
    if form == "npy":
        return _binary(lambda file: np.save(file, maps[0]))
    names = ("physical_to_logical_map", "logical_to_physical_map", "logical_replica_count")
    state: dict[str, Any] = {name: map.tolist() for name, map in zip(names, maps, strict=True)}
    return json.dumps(state if form == "vllm" else {"num_ranks": placement.num_ranks, **state})


def read(path: Path, num_ranks: int) -> Placement:
    """Return the placement of an .npy slot map, or of JSON: a slot map or an expert map.

    Raises
    ------
    ValueError, OSError
        Naming the file, if it cannot be read or is no placement.
    """
    if path.suffix not in (".npy", ".json"):
        raise ValueError(f"{path}: give a slot map in .npy or .json, or an expert map in .json")
    found = read_array(path, ("physical_to_logical_map", "layer_list"))
    try:
        if (
            path.suffix == ".json"
            and isinstance(found, list)
            and found
            and isinstance(found[0], dict)
        ):
            return vllm_ascend.read_expert_map(path)
        return Placement(found, num_ranks)
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None


def _binary(save: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()
