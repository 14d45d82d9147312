"""Documentation of a registered candidate: docstring, source and known failures."""

import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.records.source_hash import ROOT
from lb.registry import Registry

REFERENCE = re.compile(r"\b(?:arXiv:\d{4}\.\d{4,5}(?:v\d+)?|doi:10\.\d{4,9}/[^\s)\],;]+)", re.I)


@dataclass(frozen=True)
class Reference:
    """A publication that a docstring names, and its address."""

    text: str
    address: str


@dataclass(frozen=True)
class CandidateDocs:
    """Documentation of one registered candidate.

    Parameters
    ----------
    sentence
        First sentence of its docstring.
    references
        Publications that the docstring names.
    path, line
        Its first line in the project; an empty path if it is from elsewhere.
    honours
        Optional demands that it respects.
    known_failures
        Conformance checks that it cannot pass, with the reason.
    """

    sentence: str
    references: tuple[Reference, ...]
    path: str
    line: int
    honours: tuple[str, ...]
    known_failures: dict[str, str]


def candidate_docs(registry: Registry | None, name: str) -> CandidateDocs | None:
    """Return the documentation of a name; None if it is not registered."""
    if registry is None or name not in registry.available():
        return None
    try:
        made: Any = registry.make(name)
    except (ImportError, ValueError, TypeError):
        return None
    target = made if inspect.isfunction(made) else type(made)
    text = inspect.getdoc(target) or ""
    module = inspect.getdoc(inspect.getmodule(target)) or ""
    path, line = _source(target)
    return CandidateDocs(
        " ".join(text.split("\n\n")[0].split()),
        _references(f"{text}\n{module}"),
        path,
        line,
        tuple(sorted(getattr(made, "honours", ()))),
        dict(getattr(made, "known_failures", {})),
    )


def _references(text: str) -> tuple[Reference, ...]:
    references: dict[str, Reference] = {}
    for match in REFERENCE.finditer(" ".join(text.split())):
        name = match.group().rstrip(".")
        kind, _, number = name.partition(":")
        base = "https://doi.org/" if kind.lower() == "doi" else "https://arxiv.org/abs/"
        references[name] = Reference(name, base + number)
    return tuple(references.values())


def _source(target: Any) -> tuple[str, int]:
    try:
        path = Path(inspect.getsourcefile(target) or "").resolve()
        line = inspect.getsourcelines(target)[1]
    except (OSError, TypeError):
        return "", 0
    return (path.relative_to(ROOT).as_posix(), line) if path.is_relative_to(ROOT) else ("", 0)
