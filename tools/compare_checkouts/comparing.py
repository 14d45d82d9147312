"""Compare two written folders field by field."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from fnmatch import fnmatch
from itertools import zip_longest
from pathlib import Path
from typing import Any

from reading import of_case
from writing import MANIFEST

#: A place, the field that like places share, and the values before and after.
Difference = tuple[str, str, str, str]
MISSING = "missing"
WIDTH = 160


def shown(value: Any) -> str:
    """Return a value as it is compared: 1 and 1.0 differ, and so do 0.0 and -0.0."""
    return repr(value)


def cut(text: str) -> str:
    """Return a text that fits in a line."""
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def lines_differ(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield place, line before and line after, aligned by what two texts have in common."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, first, last, low, high in matcher.get_opcodes():
        if tag != "equal":
            pairs = zip_longest(before[first:last], after[low:high])
            for place, (old, new) in enumerate(pairs, start=first + 1):
                yield (
                    f"line {place}",
                    MISSING if old is None else shown(old),
                    MISSING if new is None else shown(new),
                )


def fields_differ(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield path, value before and value after of the fields that differ."""
    for path in dict.fromkeys([*before, *after]):
        old = shown(before[path]) if path in before else MISSING
        new = shown(after[path]) if path in after else MISSING
        if old != new:
            yield path or "value", old, new


def case_differs(before: Path, after: Path) -> Iterator[Difference]:
    """Yield the differences between two folders of a case."""
    first, second = of_case(before), of_case(after)
    for name in dict.fromkeys([*first, *second]):
        like = name.split(" ")[0]
        if name not in first or name not in second:
            old, new = ("there" if name in found else MISSING for found in (first, second))
            yield name, f"{like} {old}", old, new
            continue
        old, new = first[name], second[name]
        if isinstance(old, dict) and isinstance(new, dict):
            found = fields_differ(old, new)
        elif isinstance(old, list) and isinstance(new, list):
            found = lines_differ(old, new)
        else:
            found = iter([("kind of content", type(old).__name__, type(new).__name__)])
        for path, left, right in found:
            kind = re.sub(r"\[\d+\]|\d+$", "[*]", path)
            yield f"{name} {path}", f"{like} {kind}", left, right


def cases_in(folder: Path, only: Sequence[str]) -> list[str]:
    """Return the names of the cases in a folder, of those that match ``only`` if given."""
    try:
        names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} is not what write wrote: {error}") from None
    return [name for name in names if not only or any(fnmatch(name, one) for one in only)]


def report(case: str, differences: Sequence[Difference], limit: int) -> None:
    """Print the differences of a case: at most ``limit`` lines for places that are alike."""
    groups = defaultdict(list)
    for place, like, old, new in differences:
        groups[like].append(f"{case}: {place}: {cut(old)} -> {cut(new)}")
    for like, lines in groups.items():
        print("\n".join(lines[:limit]))
        if len(lines) > limit:
            print(f"{case}: … and {len(lines) - limit} more of {like}")


def compare(before: Path, after: Path, only: Sequence[str], limit: int) -> int:
    """Print how two folders differ and return the exit code: 0 if they do not."""
    first, second = cases_in(before, only), cases_in(after, only)
    if not first and not second:
        raise ValueError("no case to compare")
    total = affected = 0
    for case in dict.fromkeys([*first, *second]):
        if case not in first or case not in second:
            old, new = ("there" if case in found else MISSING for found in (first, second))
            differences: list[Difference] = [("case", "case", old, new)]
        else:
            differences = list(case_differs(before / case, after / case))
        report(case, differences, limit)
        total += len(differences)
        affected += bool(differences)
    if not total:
        print("no difference")
        return 0
    print(f"{total} differences in {affected} cases")
    return 1
