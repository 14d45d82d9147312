"""Foreign formats, one module each, and their registry.

A module of ``ROUTING`` has

* ``recognises(path) -> bool``: whether a file or folder looks like its own, from its name and its
  first bytes; never raises;
* ``blocks(path, about)``: yields :class:`traces.RoutingTrace` or :class:`traces.TokenTrace`
  chunks in order, in bounded memory; errors are ``ValueError`` and say where in the file, without
  its name; nothing is ever unpickled;
* ``write(trace, path)``, if podlab writes it too: the path is a temporary one, renamed afterwards.

Its docstring states the exact layout. A module of ``REQUESTS`` has ``recognises``, ``read(path)``
which returns a :class:`traces.RequestTrace`, and ``write`` likewise.
"""

import difflib
import importlib
from pathlib import Path
from types import ModuleType

#: Name to module: routing.
ROUTING: dict[str, str] = {
    "adrs": "traces.formats.adrs",
    "competition": "traces.formats.competition",
    "counts-json": "traces.formats.counts_json",
    "flame-moe": "traces.formats.flame_moe",
    "matrix": "traces.formats.matrix",
    "omni-infer": "traces.formats.omni_infer",
    "parquet": "traces.formats.parquet_lists",
    "selection-json": "traces.formats.selection_json",
    "sglang": "traces.formats.sglang",
    "tensorrt-llm": "traces.formats.tensorrt_llm",
    "vllm-ascend": "traces.formats.vllm_ascend",
    "vllm-eplb": "traces.formats.vllm_eplb",
    "vllm-routed": "traces.formats.vllm_routed",
}

#: Name to module: requests.
REQUESTS: dict[str, str] = {
    "azure": "traces.formats.azure",
    "burstgpt": "traces.formats.burstgpt",
    "mooncake": "traces.formats.mooncake",
    "requests-csv": "traces.formats.requests_csv",
}


def named(name: str) -> ModuleType:
    """Return the module of a format.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest is suggested.
    """
    known = {**ROUTING, **REQUESTS}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown format {name!r}: {hint}there are {', '.join(sorted(known))}")
    return importlib.import_module(known[name])


def recognised(path: Path) -> str:
    """Return the name of the one format that ``path`` looks like.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    ValueError
        If it looks like no format, or like several.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    known = sorted({**ROUTING, **REQUESTS})
    found = [name for name in known if named(name).recognises(path)]
    if len(found) == 1:
        return found[0]
    state = f"looks like {' and like '.join(found)}" if found else "looks like no known format"
    raise ValueError(f"{path}: {state}; name one of {', '.join(found or known)} as the format")
