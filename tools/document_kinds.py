"""Write the tables of kinds and columns in docs/leaderboard.md from the kinds themselves.

    python tools/document_kinds.py

tests/test_docs_leaderboard.py fails while the page has others.
"""

from pathlib import Path

from evaluation.kinds import KINDS, named

PAGE = Path(__file__).parent.parent / "docs" / "leaderboard.md"


def kinds_table() -> str:
    """Return a row for each kind: what it compares, and the score that ranks."""
    rows = ["| kind | compares | score |", "|---|---|---|"]
    for name in KINDS:
        kind = named(name)
        primary = kind.display.primary
        rows.append(f"| `{name}` | {kind.title} | {primary.title} |")
    return "\n".join(rows)


def columns_table() -> str:
    """Return a row for each column: its heading, the kinds that have it, and what it means."""
    of: dict[tuple[str, str], list[str]] = {}
    for name in KINDS:
        for column in named(name).display.columns:
            of.setdefault((column.title, column.about), []).append(name)
    rows = ["| column | kinds | meaning |", "|---|---|---|"]
    rows += [f"| {title} | {', '.join(names)} | {about} |" for (title, about), names in of.items()]
    return "\n".join(rows)


def documented(text: str) -> str:
    """Return the page with its tables as the kinds have them now."""
    for name, table in (("kinds", kinds_table()), ("columns", columns_table())):
        begin, end = f"<!-- {name}: tools/document_kinds.py -->\n", f"<!-- end of {name} -->"
        before, opened, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"{PAGE} lacks {begin.strip()} or {end}; write both where it belongs")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(documented(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
