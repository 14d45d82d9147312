"""Omni-Infer's expert activations: its CSV of layers by experts, or its raw counts by rank.

As OmniPlacement (``omni_placement``, ``pattern_generation_pipeline``) of omni-infer writes them:

* a ``.csv``: a line of names, ``,ep_0,ep_1,…``, then a line a layer, ``layer_0,12,0,…``; one step.
  The pipeline has divided each rank's counts by 128 and rounded up, so that loads are in about 128
  tokens. A folder of such files gives one step each, by the numbers in their names. Plain layer
  numbers (``0,12,0,…``) and no line of names will do as well;
* a folder of ``activation_counts_recordstep_<n>_rank_<r>.txt``: a line a layer, the counts of the
  experts of that rank between two dumps, separated by tabs; one step for each ``n``. Positions of
  ranks follow each other and are taken for experts: record before experts are moved or copied.

``top_k`` is not in it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.rank_files import by_time
from traces.routing import RoutingTrace

TEXT = r"activation_counts_recordstep_(?P<time>\d+)_rank_(?P<rank>\d+)"


def recognises(path: Path) -> bool:
    """Whether it is a CSV headed ``ep_0``, or a folder of these or of the raw counts."""
    try:
        if path.is_dir():
            if any(re.fullmatch(TEXT, file.stem) for file in path.glob("*.txt")):
                return True
            return any(recognises(file) for file in sorted(path.glob("*.csv"))[:1])
        if path.suffix != ".csv" or not path.is_file():
            return False
        with path.open("rb") as file:
            return b",ep_0" in file.readline(2**16)
    except OSError:
        return False


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield one step at a time."""
    top_k = about.needed_top_k()
    for place, counts in _steps(path):
        if about.experts not in (None, counts.shape[1]):
            raise ValueError(f"{place} has {counts.shape[1]} experts, not {about.experts}")
        try:
            yield RoutingTrace(counts[None], about.model, top_k, about.phase)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None


def _steps(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    if not path.is_dir():
        yield path.name, _csv(path)
        return
    if not any(path.glob("*.txt")):
        for group in by_time(path, (".csv",), r"(?P<time>.+)"):
            for file in group:
                yield file.name, _csv(file)
        return
    ranks: list[str] | None = None
    for group in by_time(path, (".txt",), TEXT):
        found = [re.fullmatch(TEXT, file.stem)["rank"] for file in group]  # type: ignore[index]
        step = group[0].name.rpartition("_rank_")[0]
        if [int(rank) for rank in found] != list(range(len(found))):
            raise ValueError(f"{step} has ranks {', '.join(found)}; give all, from 0")
        if ranks is not None and found != ranks:
            raise ValueError(f"{step} has {len(found)} ranks, those before it {len(ranks)}")
        ranks = found
        parts = [_text(file) for file in group]
        if len({len(part) for part in parts}) > 1:
            raise ValueError(f"{step}: ranks have different numbers of layers; copy it again")
        yield step, np.concatenate(parts, axis=1)


def _csv(path: Path) -> NDArray[np.int64]:
    rows: list[tuple[str, list[str]]] = []
    for number, line in enumerate(_lines(path), start=1):
        cells = line.split(",")
        if number == 1 and any(cell.strip().startswith("ep_") for cell in cells[1:]):
            continue
        layer = cells[0].strip().removeprefix("layer_")
        if layer != str(len(rows)):
            raise ValueError(
                f"{path.name}, line {number} is of layer {cells[0]!r}; layers count from 0, each "
                "once"
            )
        rows.append((f"{path.name}, line {number}", cells[1:]))
    return _table(rows, path)


def _text(path: Path) -> NDArray[np.int64]:
    rows = [
        (f"{path.name}, line {number}", line.split())
        for number, line in enumerate(_lines(path), start=1)
    ]
    return _table(rows, path)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8 ({error}); save it so") from None


def _table(rows: list[tuple[str, list[str]]], path: Path) -> NDArray[np.int64]:
    """Return [layers, experts]."""
    if not rows:
        raise ValueError(f"{path.name} is empty; give a line a layer")
    for place, cells in rows:
        if len(cells) != len(rows[0][1]) or not cells:
            raise ValueError(
                f"{place} has {len(cells)} counts, the first layer {len(rows[0][1])}; give one an "
                "expert"
            )
        for expert, cell in enumerate(cells):
            if not re.fullmatch(r"\s*[0-9]{1,10}\s*", cell):
                raise ValueError(
                    f"{place}, expert {expert} is {cell[:40]!r}; give a whole number from 0"
                )
    return np.array([[int(cell) for cell in cells] for _, cells in rows], dtype=np.int64)
