"""The formats of placement files, by the names that ``podlab solve --format`` takes."""

from evaluation.files.placements.deepseek import DEEPSEEK
from evaluation.files.placements.json_object import JSON
from evaluation.files.placements.npy import NPY
from evaluation.files.placements.placement_format import PlacementFormat
from evaluation.files.placements.sglang import SGLANG
from evaluation.files.placements.tensorrt_llm import TENSORRT_LLM
from evaluation.files.placements.vllm import VLLM
from evaluation.files.placements.vllm_ascend import VLLM_ASCEND

FORMATS: dict[str, PlacementFormat] = {
    "deepseek": DEEPSEEK,
    "json": JSON,
    "npy": NPY,
    "sglang": SGLANG,
    "tensorrt-llm": TENSORRT_LLM,
    "vllm": VLLM,
    "vllm-ascend": VLLM_ASCEND,
}


def format_named(name: str, first_layer: int = 0, num_layers: int | None = None) -> PlacementFormat:
    """Return a format after checking that it takes these options.

    Parameters
    ----------
    name
        One of ``FORMATS``.
    first_layer, num_layers
        Number of the first MoE layer in the model, and layers of the model.

    Raises
    ------
    ValueError
        If there is no such format, or its files do not number or pad layers as requested.
    """
    if name not in FORMATS:
        raise ValueError(f"--format {name!r} is not one of {', '.join(FORMATS)}")
    form = FORMATS[name]
    if first_layer and not form.numbered:
        names = " and ".join(key for key, other in FORMATS.items() if other.numbered)
        raise ValueError(f"--first-layer applies to {names}, not to {name}; leave it out")
    if num_layers is not None and not form.padded:
        names = " and ".join(key for key, other in FORMATS.items() if other.padded)
        raise ValueError(f"--num-layers applies to {names}, not to {name}; leave it out")
    return form


def formats_of(ending: str) -> dict[str, PlacementFormat]:
    """Return the formats whose files have this ending, by name."""
    return {name: form for name, form in FORMATS.items() if ending in form.endings}


def format_list() -> str:
    """Return a text of all formats and their endings, for messages."""
    return ", ".join(f"{name} ({' or '.join(form.endings)})" for name, form in FORMATS.items())
