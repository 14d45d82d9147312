"""The code blocks of a page, and what the page says of each in a comment before it.

A comment directly before a block may say

* ``<!-- not run: REASON -->``: it is parsed only;
* ``<!-- file: NAME -->``: it is written to that file, for the blocks that follow.

A comment ``<!-- before: CODE -->`` is Python that runs and is not shown.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_PART = re.compile(
    r"<!-- before:(?P<before>.*?)-->"
    r"|(?:<!-- (?P<note>not run|file): (?P<about>[^>]*?) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One block: its language, code and line, and the comment before it."""

    language: str
    code: str
    line: int
    note: str = ""
    about: str = ""


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order; code that is not shown is Python among them."""
    text = page.read_text(encoding="utf-8")
    found = []
    for part in _PART.finditer(text):
        line = text[: part.start()].count("\n") + 1
        if part["before"] is not None:
            found.append(Block("python", part["before"].strip() + "\n", line))
            continue
        indent = part["indent"]
        code = re.sub(rf"^{indent}", "", part["code"], flags=re.MULTILINE)
        start = text[: part.start("code")].count("\n")
        found.append(Block(part["language"], code, start, part["note"] or "", part["about"] or ""))
    return found
