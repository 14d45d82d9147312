"""Measure how hard the pages are to read: words a sentence, long sentences, semicolons, commas.

    python tools/measure_prose.py [PAGE ...]

Without pages, it measures README.md, CONTRIBUTING.md and all pages of docs/. Code, tables, headings
and addresses do not count. The project aims at the numbers of well-read documentation of the field:
at most 17 words a sentence, at most 6 % of the sentences over 30 words, and at most 0.4 semicolons
in 100 words.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG = 30
FENCE = re.compile(r"^\s*(```|~~~)")
#: Lines that are not prose: headings, tables, pictures, rules, HTML and indented code.
SKIPPED = re.compile(r"^(#|\||!\[|---|===|<|:::| {4,}\S|\t)")
ITEM = re.compile(r"^\s*([*+-]|\d+[.)])\s+")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
CODE = re.compile(r"`[^`]*`")
#: An ending that is not that of a sentence.
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|al|Fig|No|resp|approx)\.$")
END = re.compile(r"(?<=[.!?])[)\"”]*\s+(?=[\"“(]?[A-Z0-9`_*])")
WORD = re.compile(r"[\w][\w'’%×./–-]*")


@dataclass(frozen=True)
class Prose:
    """Counts over the sentences of a text.

    Parameters
    ----------
    sentences, words, long, semicolons, commas
        How many; ``long`` are sentences of more than 30 words.
    """

    sentences: int = 0
    words: int = 0
    long: int = 0
    semicolons: int = 0
    commas: int = 0

    def __add__(self, other: "Prose") -> "Prose":
        """Return the counts of both texts together."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Prose(*(mine + theirs for mine, theirs in pairs))

    def row(self) -> tuple[float, float, float, float]:
        """Return words a sentence, per cent of long ones, semicolons in 100 words, commas each."""
        sentences, words = max(self.sentences, 1), max(self.words, 1)
        return (
            self.words / sentences,
            100 * self.long / sentences,
            100 * self.semicolons / words,
            self.commas / sentences,
        )


def paragraphs(markdown: str) -> Iterator[str]:
    """Yield the paragraphs and list items of a page; code, tables and headings are left out."""
    lines: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        if FENCE.match(line):
            in_code = not in_code
            line = ""
        skipped = in_code or not line.strip() or (not lines and SKIPPED.match(line))
        if skipped or ITEM.match(line) or line.startswith(("#", "|")):
            if lines:
                yield " ".join(lines)
            lines = []
        if not skipped and not line.startswith(("#", "|")):
            lines.append(ITEM.sub("", line).strip())
    if lines:
        yield " ".join(lines)


def sentences(paragraph: str) -> list[str]:
    """Split a paragraph into sentences; code and links count as the words that they show."""
    text = CODE.sub("code", LINK.sub(r"\1", paragraph))
    parts: list[str] = []
    for part in END.split(text):
        if parts and ABBREVIATION.search(parts[-1]):
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    return [part for part in parts if WORD.search(part)]


def measure(markdown: str) -> Prose:
    """Return the counts of a page."""
    total = Prose()
    for paragraph in paragraphs(markdown):
        for sentence in sentences(paragraph):
            words = len(WORD.findall(sentence))
            long = int(words > LONG)
            total += Prose(1, words, long, sentence.count(";"), sentence.count(","))
    return total


def main(arguments: list[str]) -> None:
    """Print a line for each page, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, help="Markdown files. Default: all pages.")
    pages = parser.parse_args(arguments).pages or [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
    print(f"{'page':28} {'sentences':>9} {'words':>6} {'> 30':>6} {'; /100 w':>8} {'commas':>6}")
    total = Prose()
    for page in pages:
        counts = measure(page.read_text(encoding="utf-8"))
        total += counts
        print(_line(page.name, counts))
    print(_line("all", total))


def _line(name: str, counts: Prose) -> str:
    words, long, semicolons, commas = counts.row()
    return (
        f"{name:28} {counts.sentences:9,} {words:6.1f} {long:5.1f}% {semicolons:8.2f} {commas:6.2f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
