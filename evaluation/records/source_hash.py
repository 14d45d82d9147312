"""Hashes of podlab's code: of the part that scores depend on, and of all of it."""

import functools
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

#: podlab's packages, and the folder that holds them.
PACKAGES = ("lb", "schedulers", "traces", "hardware", "evaluation")
ROOT = Path(__file__).resolve().parents[2]

#: Code and presets that a score can depend on. An import contract holds the modules that compute
#: scores to these (pyproject.toml, "the source hash covers what scores depend on").
SCORED = (
    "lb",
    "schedulers",
    "traces",
    "hardware",
    "evaluation/candidates",
    "evaluation/kinds",
    "evaluation/replay",
    "evaluation/serving",
    "evaluation/step",
    "evaluation/suites",
)
#: Modules in these folders that only search, print or plot.
UNSCORED = (
    "evaluation/kinds/columns.py",
    "evaluation/kinds/scheduler/columns.py",
    "evaluation/kinds/suite_ranking.py",
    "evaluation/kinds/verify.py",
    "evaluation/serving/plan",
    "evaluation/serving/results/fault_table.py",
    "evaluation/serving/results/fault_timeline.py",
    "evaluation/serving/results/files.py",
    "evaluation/serving/results/timeline.py",
    "evaluation/serving/results/view.py",
    "evaluation/serving/scenario/write.py",
    "evaluation/step/timeline.py",
)

#: A string, or a comment up to the end of its line. TOML has the same strings and comments.
TOKEN = re.compile(
    r"""
    (?P<string> (?:\b[a-zA-Z]{1,2})?
        (?: \"{3} (?:\\.|[^\\])*? \"{3} | '{3} (?:\\.|[^\\])*? '{3}
          | " (?:\\.|[^"\\\n])* " | ' (?:\\.|[^'\\\n])* ' )
    ) | \#[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)


@functools.cache
def score_hash() -> str:
    """Return a SHA-256 of the code and presets that scores depend on.

    Comments, docstrings and empty lines do not count: a run that was finished before they were
    edited is still valid.
    """
    digest = hashlib.sha256()
    for path in _scored_files():
        text = path.read_text(encoding="utf-8")
        # bare_code takes 0.1 s for all files; tokenizing or parsing them takes 2 s
        digest.update(f"{path.relative_to(ROOT).as_posix()}\n{bare_code(text)}\n".encode())
    return digest.hexdigest()


@functools.cache
def code_hash() -> str:
    """Return a SHA-256 of every Python and TOML file, which identifies a version of podlab."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in _sources(ROOT / package):
            digest.update(f"{path.relative_to(ROOT).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def bare_code(text: str) -> str:
    """Return Python or TOML without comments, docstrings and empty lines.

    A docstring becomes an empty string, so that the rest still parses. A docstring is a string in
    triple quotes that begins a line, at the start of the text or after a colon.
    """
    pieces: list[str] = []
    last, before = 0, ":"  # `before`: the last character of code, so far
    for match in TOKEN.finditer(text):
        code = text[last : match.start()]
        before = code.rstrip()[-1:] or before
        pieces.append(code)
        last = match.end()
        string = match["string"]
        if string is None:
            continue
        begins_line = not code.rpartition("\n")[2].strip()
        is_docstring = begins_line and before == ":" and string.lstrip("rR").startswith('"""')
        pieces.append('""' if is_docstring else string)
        before = '"'
    pieces.append(text[last:])
    lines = "".join(pieces).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _scored_files() -> Iterator[Path]:
    # strings: comparing paths with all parents of all files takes longer than reading them
    unscored = tuple(str(ROOT / name) for name in UNSCORED)
    folders = tuple(f"{name}{os.sep}" for name in unscored)
    for name in SCORED:
        for path in _sources(ROOT / name):
            text = str(path)
            if text not in unscored and not text.startswith(folders):
                yield path


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".toml"))
