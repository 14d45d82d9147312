"""Solvers and forecasters by registered name or from a user's file."""

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
    from evaluation.candidates.sandbox.solver import SandboxedSolver


@dataclass(frozen=True)
class Candidate:
    """A solver as the user named it. Another process can unpickle it and create the solver.

    Parameters
    ----------
    spec
        A registered name, or ``path/to/file.py:name``. For a solver the name may be left out if
        the file defines exactly one entry
        (:func:`evaluation.candidates.sandbox.entry_point.entry_name`).
    seed
        Random seed of a solver that has a parameter ``seed``.
    params
        Pairs of name and value: further parameters of a registered solver.
    limits
        Limits of the process that runs a solver from a file; ``None`` runs it in this process.
    permute
        Whether the experts are renumbered for that process.
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
        """The name on the leaderboard: the registered name, or the entry in the file.

        The name of the file stands for an entry with a conventional name, such as ``solve``. If the
        entry has a registered name, file and entry are both named.
        """
        if self.path is None:
            return self.spec
        if not self.entry or self.entry in entries.KNOWN_ENTRIES:
            stem = self.path.stem
            return f"{stem}.py" if stem in self.registry.available() else stem
        clash = self.entry in self.registry.available()
        return f"{self.path.stem}:{self.entry}" if clash else self.entry

    @property
    def entry(self) -> str:
        """The name after the file, as in ``file.py:name``; empty if there is none."""
        return self.spec.rpartition(":")[2] if ":" in self.spec else ""

    @property
    def sandboxed(self) -> bool:
        """Whether the solver runs in its own process."""
        return self.path is not None and self.limits is not None

    @property
    def file_hash(self) -> str | None:
        """SHA-256 of the user's file; None for a registered name."""
        if self.path is None:
            return None
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def is_seeded(self) -> bool:
        """Whether the solver has a parameter ``seed``, so that answers may depend on the seed."""
        if self.path is None:
            return "seed" in self.registry.parameters(self.spec)
        if self.registry is lb.SOLVERS:
            # Untrusted code runs in the sandbox alone: here its file is parsed, not imported.
            return entries.is_seeded(self.path, self.entry)
        factory: Any = _attribute(self.path, self.spec, self.registry.noun)
        return inspect.isclass(factory) and "seed" in inspect.signature(factory).parameters

    def identity(self) -> dict[str, Any]:
        """Return the fields that scores depend on; a file is identified by its hash."""
        return {
            "solver": self.name,
            "solver_file": self.file_hash,
            "seed": self.seed,
            "parameters": self.params,
            "sandboxed": self.sandboxed,
        }

    def make(self) -> Any:
        """Create and return the solver.

        Raises
        ------
        ValueError
            If the name is unknown, or the file is missing, raises an error or has no such callable.
        """
        if self.path is None:
            seed: dict[str, Any] = {"seed": self.seed} if self.is_seeded else {}
            return self.registry.make(self.spec, **{**seed, **dict(self.params)})
        if self.registry is not lb.SOLVERS:
            return entries.instantiate(
                _attribute(self.path, self.spec, self.registry.noun), self.seed
            )
        return self._sandboxed(self.limits) if self.limits else self._in_process()

    def _sandboxed(self, limits: Limits) -> "SandboxedSolver":
        from evaluation.candidates.sandbox.solver import SandboxedSolver

        assert self.path is not None
        try:
            return SandboxedSolver(self.path, self.entry, self.seed, limits, self.permute)
        except ValueError as error:
            raise ValueError(f"{self.registry.noun} {self.spec!r}: {error}") from None

    def _in_process(self) -> Any:
        """Return the solver of a file, to run in this process."""
        assert self.path is not None
        try:
            name = entries.entry_name(self.path, self.entry)
            module = entries.load_module(self.path)
            if not callable(getattr(module, name, None)):
                raise ValueError(f"{self.path} has no callable {name!r}")
            solver = entries.instantiate(getattr(module, name), self.seed)
            convention = entries.convention_of(name, solver)
        except ValueError as error:
            raise ValueError(f"{self.registry.noun} {self.spec!r}: {error}") from error
        if convention == "problem":
            return solver
        from evaluation.candidates.sandbox.calling_conventions import ConventionAdapter

        return ConventionAdapter(solver, convention, entries.imports_package(self.path, "torch"))


@dataclass(frozen=True)
class ForecasterCandidate(Candidate):
    """A forecaster as the user named it; parameters as in :class:`Candidate`."""

    registry: ClassVar[Registry] = lb.FORECASTERS


def parameters(candidate: Any) -> dict[str, Any]:
    """Return the parameters of a solver or forecaster for its record; non-JSON values as repr."""
    # A sandboxed program reports its own parameters.
    if isinstance(reported := getattr(candidate, "program_parameters", None), dict):
        return reported
    if not is_dataclass(candidate) or inspect.isclass(candidate):
        return {}
    return dict(json.loads(json.dumps(asdict(candidate), default=repr)))


def _attribute(path: Path, spec: str, noun: str) -> Any:
    if not path.is_file():
        raise ValueError(f"{noun} {spec!r}: there is no file {path}")
    module = entries.load_module(path)
    name = spec.rpartition(":")[2] if ":" in spec else ""
    defined = [
        key
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    if not name or not callable(getattr(module, name, None)):
        raise ValueError(
            f"{noun} {spec!r}: {path} has no callable {name!r}; give {path}:NAME, where NAME is "
            f"one of {', '.join(defined) or '(the file defines none)'}"
        )
    return getattr(module, name)
