"""Published figures that validate the machine model: TOML files and tables of kernels.

A file has ``[conditions.<family>]`` tables, which the anchors of a family share. An ``[[anchor]]``
is one figure. A ``[[table]]`` gives one anchor for every row of a table in ``hardware/tables``. The
prediction for the ``kind`` of an anchor is a function in :mod:`evaluation.validation.predictions`.
What an anchor was used for says ``split.toml`` (:mod:`evaluation.validation.split`) of the bundled
ones, and a key ``use`` in a file of one's own.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.validation import split
from evaluation.validation.predictions import KINDS
from hardware import preset, table

FOLDER = Path(__file__).parent
#: Rows of a table that are not predicted, each with its reason.
LEFT_OUT = "left out"


@dataclass(frozen=True)
class Anchor:
    """One published figure.

    Parameters
    ----------
    id, family
        Unique name, and the group in which the anchor is summarised.
    use
        "fit" if a constant was fitted to its file, "check" if none was, "repeat" if it follows from
        another figure. "left out": a row that is not predicted, for the reason ``why``.
    kind
        Kind of prediction, a key of ``evaluation.validation.predictions.KINDS``.
    published, unit
        The published figure and its unit.
    source
        Publication of the figure.
    conditions
        Conditions of the figure.
    why
        Reason of a row that is left out; else empty.
    """

    id: str
    family: str
    use: str
    kind: str
    published: float
    unit: str
    source: str
    conditions: Mapping[str, Any]
    why: str = ""


def load(paths: list[Path] | None = None) -> list[Anchor]:
    """Read anchors from files, by default the bundled ones.

    Raises
    ------
    ValueError
        Naming the file and the anchor, if a key is missing, a kind or use is unknown, or an id
        occurs twice.
    """
    anchors: list[Anchor] = []
    bundled = paths is None
    for path in sorted(FOLDER.glob("*.toml")) if paths is None else paths:
        content = preset.parse(path)
        unknown = set(content) - {"conditions", "anchor", "table"}
        if unknown:
            raise ValueError(
                f"{path}: unknown tables {sorted(unknown)}; see evaluation/validation/anchors"
            )
        shared = content.get("conditions", {})
        for entry in content.get("anchor", []):
            anchors.append(_anchor(path, {**shared.get(entry.get("family"), {}), **entry}, bundled))
        for entry in content.get("table", []):
            anchors += [_anchor(path, row, False) for row in _rows(entry, bundled)]
    ids = [anchor.id for anchor in anchors]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"anchor ids {twice} occur twice; give each its own")
    return anchors


def _anchor(path: Path, entry: dict[str, Any], bundled: bool) -> Anchor:
    where = f"{path}: anchor {entry.get('id', '?')!r}"
    if bundled:
        if "use" in entry:
            raise ValueError(f"{where}: use = {entry['use']!r}; say it in {split.FILE.name} alone")
        entry = {**entry, "use": split.load().of_figure(path.stem, entry.get("id", ""))}
    keys = ("id", "family", "use", "kind", "published", "unit", "source")
    missing = [key for key in keys if key not in entry]
    if missing:
        raise ValueError(f"{where}: key {missing[0]!r} is missing; add it")
    for key, known in (("use", (*split.USES, LEFT_OUT)), ("kind", tuple(KINDS))):
        if entry[key] not in known:
            raise ValueError(f"{where}: {key} = {entry[key]!r} is not one of {', '.join(known)}")
    if preset.positive(entry["published"]):
        raise ValueError(f"{where}: published = {entry['published']!r}; give a number > 0")
    conditions = {key: value for key, value in entry.items() if key not in (*keys, "why")}
    fields = {key: entry[key] for key in keys}
    return Anchor(**fields, conditions=conditions, why=entry.get("why", ""))


def _rows(entry: dict[str, Any], bundled: bool) -> Iterator[dict[str, Any]]:
    """Yield the keys of one anchor for every row that a ``[[table]]`` entry selects.

    A row that matches an entry of ``skip`` is left out, with the reason that the entry states.
    """
    table_keys = ("table", "where", "skip", "rename", "operator")
    fixed = {key: value for key, value in entry.items() if key not in table_keys}
    wanted = dict(entry.get("where", {}))
    if "operator" in entry:
        wanted["operator"] = entry["operator"]
    for number, row in enumerate(read(table.find(entry["table"])), start=2):
        if not _matches(row, wanted):
            continue
        use = {"use": split.load().of_row(entry["table"], row).use} if bundled else {}
        for skip in entry.get("skip", []):
            if not skip.get("why"):
                raise ValueError(f"table {entry['id']!r}: skip = {skip} needs a reason; add why")
            if _matches(row, {key: value for key, value in skip.items() if key != "why"}):
                use = {"use": LEFT_OUT, "why": skip["why"]}
        renamed = {name: row[column] for name, column in entry.get("rename", {}).items()}
        published = row.pop("latency_us")
        yield {
            **row,
            **renamed,
            **fixed,
            **use,
            "id": f"{entry['id']}-{number}",
            "published": published,
            "unit": "us",
        }


def _matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(row.get(key) == value for key, value in wanted.items())


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with numbers converted; operators need not be known to a fit."""
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            texts = {key: row.pop(key) for key in ("operator", "format")}
            yield {**texts, **{key: float(value) for key, value in row.items()}}
