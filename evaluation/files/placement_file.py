"""Placements in files: a NumPy array, or the JSON that serving engines write."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import lb

#: Keys under which the map is found in JSON, the first being SGLang's.
KEYS = ("physical_to_logical_map", "physical_to_logical")
SUFFIXES = (".npy", ".json")


def read_placement(path: str | Path, num_ranks: int | None = None) -> lb.Placement:
    """Read a placement.

    Parameters
    ----------
    path
        ``.npy``: integers [layers, slots]. ``.json``: an object with the same as nested lists under
        ``physical_to_logical_map`` or ``physical_to_logical``, and ``num_ranks`` if it likes; other
        keys are left to whoever wrote them.
    num_ranks
        Ranks of the EP group, where the file does not say. ``None``: the file must.

    Raises
    ------
    ValueError
        If the file cannot be read (pickled objects are never loaded), is no placement, or its ranks
        are unknown or not ``num_ranks``; the file is named.
    FileNotFoundError
        If there is no such file.
    """
    where = Path(path)
    if where.suffix not in SUFFIXES:
        raise ValueError(f"{where}: a placement is in a file that ends in .npy or .json")
    if not where.is_file():
        raise FileNotFoundError(f"{where}: there is no such placement file")
    try:
        table, stated = _npy(where) if where.suffix == ".npy" else _json(where)
        ranks = num_ranks if stated is None else stated
        if ranks is None:
            raise ValueError("the file does not say num_ranks; give the number of ranks")
        if num_ranks not in (None, ranks):
            raise ValueError(f"num_ranks = {stated!r}, but {num_ranks} ranks were asked for")
        return lb.Placement(table, ranks)
    except (ValueError, EOFError, RecursionError) as error:
        raise ValueError(f"{where}: {error}") from None


def _npy(path: Path) -> tuple[Any, int | None]:
    found = np.load(path, allow_pickle=False)
    if not isinstance(found, np.ndarray):
        found.close()
        raise ValueError("an archive of arrays; save the one map with numpy.save")
    return found, None


def _json(path: Path) -> tuple[Any, int | None]:
    content = json.loads(path.read_text(encoding="utf-8"))
    keys = [key for key in KEYS if isinstance(content, dict) and key in content]
    if len(keys) != 1:
        found = f"both {KEYS[0]} and {KEYS[1]}" if keys else f"neither {KEYS[0]} nor {KEYS[1]}"
        raise ValueError(f"found {found}; give one of them, [layers, slots] expert ids")
    return content[keys[0]], content.get("num_ranks")
