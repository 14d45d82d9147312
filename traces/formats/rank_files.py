"""Files of one recording in a folder, grouped by time and in order of time."""

import re
from pathlib import Path


def by_time(folder: Path, suffixes: tuple[str, ...], pattern: str) -> list[list[Path]]:
    """Return the files of each time, in order of time and then of rank.

    Parameters
    ----------
    folder
        Where they are; files of other endings are left alone.
    suffixes
        Endings, with the dot.
    pattern
        Expression that matches a whole name without its ending, with a group ``time`` and, where
        there are several ranks, a group ``rank``.

    Raises
    ------
    ValueError
        If there is no such file, or one is named otherwise.
    """
    groups: dict[tuple[object, ...], list[tuple[int, Path]]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in suffixes:
            continue
        match = re.fullmatch(pattern, path.stem)
        if match is None:
            raise ValueError(f"{path.name} is named unlike {pattern}; rename it or move it away")
        rank = match.groupdict().get("rank")
        groups.setdefault(_natural(match["time"]), []).append((int(rank or 0), path))
    if not groups:
        raise ValueError(f"the folder has no file that ends in {' or '.join(suffixes)}")
    return [[path for _, path in sorted(groups[time])] for time in sorted(groups)]


def _natural(text: str) -> tuple[object, ...]:
    """Return a key by which 10 follows 9: text and numbers alternate."""
    parts = re.split(r"(\d+)", text)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))
