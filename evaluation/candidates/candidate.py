"""Solvers and forecasters by name, or from a user's own file."""

import hashlib
import inspect
import json
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import lb
from evaluation.candidates.sandbox import entry_point as entries
from evaluation.candidates.sandbox.limits import Limits
from lb.registry import Registry

if TYPE_CHECKING:
    from evaluation.candidates.sandbox.solver import Sandboxed


@dataclass(frozen=True)
class Candidate:
    """A solver as it was asked for: it can travel to another process and be made there.

    Parameters
    ----------
    spec
        A registered name, or ``path/to/file.py:name``; of a solver the name may be left out where
        the file defines exactly one entry
        (:func:`evaluation.candidates.sandbox.entry_point.entry_name`).
    seed
        Given to a solver that has a parameter ``seed``.
    params
        Pairs of name and value, further parameters of a registered one.
    limits
        What a solver from a file may use in a process of its own; ``None`` runs it in this one.
    permute
        Whether experts have other numbers in there.
    """

    spec: str
    seed: int = 0
    params: tuple[tuple[str, Any], ...] = ()
    limits: Limits | None = None
    permute: bool = True

    registry: ClassVar[Registry] = lb.SOLVERS

    @property
    def path(self) -> Path | None:
        """The user's file; None for a registered name."""
        return Path(self.spec.rpartition(":")[0] or self.spec) if ".py" in self.spec else None

    @property
    def name(self) -> str:
        """What the leaderboard calls it: its name in the file, or the file's where that says more.

        A name from a file that is also registered names both.
        """
        if self.path is None:
            return self.spec
        if not self.entry or self.entry in entries.KNOWN:
            stem = self.path.stem
            return f"{stem}.py" if stem in self.registry.available() else stem
        clash = self.entry in self.registry.available()
        return f"{self.path.stem}:{self.entry}" if clash else self.entry

    @property
    def entry(self) -> str:
        """The name that was given beside the file; empty if none was."""
        return self.spec.rpartition(":")[2] if ":" in self.spec else ""

    @property
    def sandboxed(self) -> bool:
        """Whether it runs in a process of its own."""
        return self.path is not None and self.limits is not None

    @property
    def file_hash(self) -> str | None:
        """SHA-256 of the user's file; None for a registered name."""
        if self.path is None:
            return None
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def is_seeded(self) -> bool:
        """Whether it has a parameter ``seed``, so that another seed may be another answer."""
        if self.path is None:
            return "seed" in self.registry.parameters(self.spec)
        if self.registry is lb.SOLVERS:
            return entries.is_seeded(self.path, self.entry)  # a stranger's file is not run for it
        found: Any = _attribute(self.path, self.spec, self.registry.noun)
        return inspect.isclass(found) and "seed" in inspect.signature(found).parameters

    def identity(self) -> dict[str, Any]:
        """Return who this is, as far as scores depend on it; a file by its hash."""
        return {
            "solver": self.name,
            "solver_file": self.file_hash,
            "seed": self.seed,
            "parameters": self.params,
            "sandboxed": self.sandboxed,
        }

    def make(self) -> Any:
        """Return the solver.

        Raises
        ------
        ValueError
            If the name is unknown, the file is missing or fails, or has no such callable.
        """
        if self.path is None:
            drawn: dict[str, Any] = {"seed": self.seed} if self.is_seeded else {}
            return self.registry.make(self.spec, **{**drawn, **dict(self.params)})
        if self.registry is not lb.SOLVERS:
            return entries.made(_attribute(self.path, self.spec, self.registry.noun), self.seed)
        return self._sandboxed(self.limits) if self.limits else self._here()

    def _sandboxed(self, limits: Limits) -> "Sandboxed":
        from evaluation.candidates.sandbox.solver import Sandboxed

        assert self.path is not None
        try:
            return Sandboxed(self.path, self.entry, self.seed, limits, self.permute)
        except ValueError as error:
            raise ValueError(f"{self.registry.noun} {self.spec!r}: {error}") from None

    def _here(self) -> Any:
        """Return the solver of a file, in this process."""
        assert self.path is not None
        try:
            name = entries.entry_name(self.path, self.entry)
            module = entries.module_of(self.path)
            if not callable(getattr(module, name, None)):
                raise ValueError(f"{self.path} has no callable {name!r}")
            made = entries.made(getattr(module, name), self.seed)
            dialect = entries.dialect_of(name, made)
        except ValueError as error:
            raise ValueError(f"{self.registry.noun} {self.spec!r}: {error}") from error
        if dialect == "problem":
            return made
        from evaluation.candidates.sandbox.calling_conventions import Translated

        return Translated(made, dialect, entries.imports(self.path, "torch"))


@dataclass(frozen=True)
class ForecasterCandidate(Candidate):
    """A forecaster as it was asked for; parameters as of :class:`Candidate`."""

    registry: ClassVar[Registry] = lb.FORECASTERS


def parameters(made: Any) -> dict[str, Any]:
    """Return the parameters of what was made, for its record; what is not JSON as its repr."""
    if isinstance(found := getattr(made, "program_parameters", None), dict):
        return found  # of a program in a process of its own, as it says
    if not is_dataclass(made) or inspect.isclass(made):
        return {}
    return dict(json.loads(json.dumps(asdict(made), default=repr)))


def _attribute(path: Path, spec: str, noun: str) -> Any:
    if not path.is_file():
        raise ValueError(f"{noun} {spec!r}: there is no file {path}")
    module = entries.module_of(path)
    name = spec.rpartition(":")[2] if ":" in spec else ""
    own = [
        key
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    if not name or not callable(getattr(module, name, None)):
        raise ValueError(
            f"{noun} {spec!r}: {path} has no callable {name!r}; give {path}:NAME, where NAME is "
            f"one of {', '.join(own) or '(the file defines none)'}"
        )
    return getattr(module, name)
