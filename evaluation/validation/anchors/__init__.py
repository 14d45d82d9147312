"""Published figures that the machine model is held against: TOML files and tables of kernels.

A file has ``[conditions.<family>]`` tables, which anchors of that family share; ``[[anchor]]``, one
figure each; and ``[[table]]``, one anchor for every row of a table in ``hardware/tables``. What an
anchor's ``kind`` computes is in :mod:`evaluation.validation.predictions`.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.validation.predictions import KINDS
from hardware import preset, table

FOLDER = Path(__file__).parent
USES = ("fit", "check", "point")


@dataclass(frozen=True)
class Anchor:
    """One published figure.

    Parameters
    ----------
    id, family
        Its name, unique, and the group it is summarised in.
    use
        "fit" where a constant was fitted on it, "check" where none was; "point" for an operating
        point of a whole system, of which some condition is assumed: shown, held to no target.
    kind
        Which prediction answers it, a key of ``evaluation.validation.predictions.KINDS``.
    published, unit
        The figure.
    source
        Where it is published.
    conditions
        Under which it holds.
    """

    id: str
    family: str
    use: str
    kind: str
    published: float
    unit: str
    source: str
    conditions: Mapping[str, Any]


def load(paths: list[Path] | None = None) -> list[Anchor]:
    """Read all anchors, the bundled ones by default.

    Raises
    ------
    ValueError
        Naming the file and the anchor: a missing key, an unknown kind or use, an id twice.
    """
    found: list[Anchor] = []
    for path in sorted(FOLDER.glob("*.toml")) if paths is None else paths:
        content = preset.parse(path)
        unknown = set(content) - {"conditions", "anchor", "table"}
        if unknown:
            raise ValueError(
                f"{path}: unknown tables {sorted(unknown)}; see evaluation/validation/anchors"
            )
        shared = content.get("conditions", {})
        for given in content.get("anchor", []):
            found.append(_anchor(path, {**shared.get(given.get("family"), {}), **given}))
        for given in content.get("table", []):
            found += [_anchor(path, row) for row in _rows(path, given)]
    ids = [anchor.id for anchor in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"anchor ids {twice} occur twice; give each its own")
    return found


def _anchor(path: Path, given: dict[str, Any]) -> Anchor:
    where = f"{path}: anchor {given.get('id', '?')!r}"
    keys = ("id", "family", "use", "kind", "published", "unit", "source")
    missing = [key for key in keys if key not in given]
    if missing:
        raise ValueError(f"{where}: key {missing[0]!r} is missing; add it")
    for key, known in (("use", USES), ("kind", tuple(KINDS))):
        if given[key] not in known:
            raise ValueError(f"{where}: {key} = {given[key]!r} is not one of {', '.join(known)}")
    if preset.positive(given["published"]):
        raise ValueError(f"{where}: published = {given['published']!r}; give a number > 0")
    conditions = {key: value for key, value in given.items() if key not in keys}
    return Anchor(**{key: given[key] for key in keys}, conditions=conditions)


def _rows(path: Path, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One anchor's keys for every row of a table that the entry picks."""
    own = ("table", "where", "skip", "rename", "operator")
    fixed = {key: value for key, value in given.items() if key not in own}
    wanted = dict(given.get("where", {}))
    if "operator" in given:
        wanted["operator"] = given["operator"]
    for number, row in enumerate(_read(table.find(given["table"])), start=2):
        if not _matches(row, wanted) or any(_matches(row, skip) for skip in given.get("skip", [])):
            continue
        renamed = {name: row[column] for name, column in given.get("rename", {}).items()}
        published = row.pop("latency_us")
        yield {
            **row,
            **renamed,
            **fixed,
            "id": f"{given['id']}-{number}",
            "published": published,
            "unit": "us",
        }


def _matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(row.get(key) == value for key, value in wanted.items())


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a table with numbers as numbers; operators may be ones that no fit knows."""
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            texts = {key: row.pop(key) for key in ("operator", "format")}
            yield {**texts, **{key: float(value) for key, value in row.items()}}
