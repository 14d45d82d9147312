"""Which measurements were fitted on, which only check, and which repeat another: ``split.toml``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hardware import preset

FILE = Path(__file__).parent / "split.toml"
#: "fit": decided a constant. "check": decided none. "repeat": follows from another figure, which
#: counts; shown, and counted nowhere.
USES = ("fit", "check", "repeat")


@dataclass(frozen=True)
class Part:
    """A file of measurements on one device, or part of it, and what it was used for.

    Parameters
    ----------
    name
        A table of ``hardware/tables``, or a file of ``evaluation/validation/anchors``.
    device
        Device that was measured.
    use
        One of ``USES``.
    why
        What it decided, or why it does not count.
    where
        Values of columns that select the rows of a table.
    """

    name: str
    device: str
    use: str
    why: str
    where: Mapping[str, Any]


@dataclass(frozen=True)
class Split:
    """The uses of all measurements: of files, and of single figures within them."""

    files: tuple[Part, ...]
    figures: Mapping[str, str]

    def of_row(self, table: str, row: Mapping[str, Any]) -> Part:
        """Return the part that a row of a table belongs to.

        Raises
        ------
        ValueError
            Naming the table, if no part has the row.
        """
        for part in self.files:
            matches = all(row.get(key) == value for key, value in part.where.items())
            if part.name == table and matches:
                return part
        raise ValueError(f"{FILE.name} has no [[file]] for {table!r}, {dict(row)}; add one")

    def of_figure(self, file: str, figure: str) -> str:
        """Return the use of a published figure, its own or that of its file of anchors.

        Raises
        ------
        ValueError
            Naming the file, if it has no use.
        """
        return self.figures.get(figure) or self.of_row(file, {}).use


@lru_cache(maxsize=1)
def load(path: Path = FILE) -> Split:
    """Read the split.

    Raises
    ------
    ValueError
        Naming the file and the entry, if a key is missing, a use unknown or a figure named twice.
    """
    content = preset.parse(path)
    files = []
    for entry in content.get("file", []):
        _check(path, entry, ("name", "device", "use", "why"))
        keys = ("name", "device", "use", "why")
        files.append(Part(**{key: entry[key] for key in keys}, where=entry.get("where", {})))
    figures: dict[str, str] = {}
    for entry in content.get("figures", []):
        _check(path, entry, ("ids", "use", "why"))
        for name in entry["ids"]:
            if name in figures:
                raise ValueError(f"{path}: figure {name!r} is named twice; a figure has one use")
            figures[name] = entry["use"]
    return Split(tuple(files), figures)


def _check(path: Path, entry: Mapping[str, Any], keys: Sequence[str]) -> None:
    missing = [key for key in keys if not entry.get(key)]
    if missing:
        raise ValueError(f"{path}: {dict(entry)} lacks {missing[0]!r}; add it")
    if entry["use"] not in USES:
        raise ValueError(f"{path}: use = {entry['use']!r} is not one of {', '.join(USES)}")
