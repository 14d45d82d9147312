"""Placements as files: one format for each engine, and two plain ones."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.files.loads import read_array
from lb import Placement
from lb.engines import sglang, tensorrt_llm, vllm_ascend


@dataclass(frozen=True)
class Format:
    """A kind of file that a placement is written to.

    Parameters
    ----------
    endings
        What the name of such a file ends in.
    write
        Called with the placement, the number of the first MoE layer in the model and the layers of
        the model or None; returns what the file holds.
    numbered
        Whether it numbers the layers of the model.
    padded
        Whether it has a row for each layer of the model.
    """

    endings: tuple[str, ...]
    write: Callable[[Placement, int, int | None], str | bytes]
    numbered: bool = False
    padded: bool = False


def _deepseek(placement: Placement, *_: object) -> bytes:
    names = ("phy2log", "log2phy", "logcnt")
    maps = dict(zip(names, _maps(placement).values(), strict=True))
    return _binary(lambda file: np.savez(file, **maps))  # type: ignore[arg-type]


def _json(placement: Placement, *_: object) -> str:
    lists = {name: one.tolist() for name, one in _maps(placement).items()}
    return json.dumps({"num_ranks": placement.num_ranks, **lists})


def _npy(placement: Placement, *_: object) -> bytes:
    return _binary(lambda file: np.save(file, placement.physical_to_logical))


def _sglang(placement: Placement, first_layer: int, num_layers: int | None) -> str:
    location = sglang.expert_location(placement, first_layer=first_layer, num_layers=num_layers)
    return json.dumps(location)


def _tensorrt_llm(placement: Placement, first_layer: int, _: int | None) -> str:
    return tensorrt_llm.load_balancer(placement, first_layer=first_layer)


def _vllm(placement: Placement, *_: object) -> str:
    return json.dumps({name: one.tolist() for name, one in _maps(placement).items()})


def _vllm_ascend(placement: Placement, *_: object) -> str:
    return json.dumps(vllm_ascend.expert_map(placement))


#: The three maps of DeepSeek's EPLB, the same with the number of ranks, the slot map alone, and the
#: files of engines ("vllm": the maps by the names of its state).
FORMATS: dict[str, Format] = {
    "deepseek": Format((".npz",), _deepseek),
    "json": Format((".json",), _json),
    "npy": Format((".npy",), _npy),
    "sglang": Format((".json",), _sglang, numbered=True, padded=True),
    "tensorrt-llm": Format((".yaml", ".yml"), _tensorrt_llm, numbered=True),
    "vllm": Format((".json",), _vllm),
    "vllm-ascend": Format((".json",), _vllm_ascend),
}


def content(
    placement: Placement, form: str, first_layer: int = 0, num_layers: int | None = None
) -> str | bytes:
    """Return what a file of the format ``form`` holds.

    Parameters
    ----------
    placement
        What to write.
    form
        One of ``FORMATS``.
    first_layer, num_layers
        Number of the first MoE layer in the model, and layers of the model.

    Raises
    ------
    ValueError
        If there is no such format, or it does not number layers.
    """
    chosen = named(form)
    if first_layer and not chosen.numbered:
        fitting = " and ".join(name for name, one in FORMATS.items() if one.numbered)
        raise ValueError(f"--first-layer goes with {fitting}, not with {form}")
    if num_layers is not None and not chosen.padded:
        fitting = " and ".join(name for name, one in FORMATS.items() if one.padded)
        raise ValueError(f"--num-layers goes with {fitting}, not with {form}")
    return chosen.write(placement, first_layer, num_layers)


def named(form: str) -> Format:
    """Return the format of that name.

    Raises
    ------
    ValueError
        If there is none; all names are named.
    """
    if form not in FORMATS:
        raise ValueError(f"--format {form!r} is not one of {', '.join(FORMATS)}")
    return FORMATS[form]


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


def _maps(placement: Placement) -> dict[str, NDArray[np.int64]]:
    return {
        "physical_to_logical_map": placement.physical_to_logical,
        "logical_to_physical_map": placement.logical_to_physical,
        "logical_replica_count": placement.replica_count,
    }


def _binary(save: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()
