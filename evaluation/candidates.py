"""Solvers and forecasters by name, or from a user's own file."""

import hashlib
import importlib.util
import inspect
import json
import sys
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, ClassVar

import lb
from lb.registry import Registry


@dataclass(frozen=True)
class Candidate:
    """A solver as it was asked for: it can travel to another process and be made there.

    Parameters
    ----------
    spec
        A registered name, or ``path/to/file.py:name``.
    seed
        Given to a solver that has a parameter ``seed``.
    params
        Pairs of name and value, further parameters of a registered one.
    """

    spec: str
    seed: int = 0
    params: tuple[tuple[str, Any], ...] = ()

    registry: ClassVar[Registry] = lb.SOLVERS

    @property
    def path(self) -> Path | None:
        """The user's file; None for a registered name."""
        return Path(self.spec.rpartition(":")[0] or self.spec) if ".py" in self.spec else None

    @property
    def name(self) -> str:
        """What the leaderboard calls it: a name from a file that is also registered names both."""
        if self.path is None:
            return self.spec
        name = self.spec.rpartition(":")[2]
        return f"{self.path.stem}:{name}" if name in self.registry.available() else name

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
        found: Any = _attribute(self.path, self.spec, self.registry.noun)
        return inspect.isclass(found) and "seed" in inspect.signature(found).parameters

    def make(self) -> Any:
        """Return the solver.

        Raises
        ------
        ValueError
            If the name is unknown, the file is missing or fails, or has no such callable.
        """
        drawn: dict[str, Any] = {"seed": self.seed} if self.is_seeded else {}
        if self.path is None:
            return self.registry.make(self.spec, **{**drawn, **dict(self.params)})
        found: Any = _attribute(self.path, self.spec, self.registry.noun)
        return found(**drawn) if inspect.isclass(found) else found


@dataclass(frozen=True)
class ForecasterCandidate(Candidate):
    """A forecaster as it was asked for; parameters as of :class:`Candidate`."""

    registry: ClassVar[Registry] = lb.FORECASTERS


def parameters(made: Any) -> dict[str, Any]:
    """Return the parameters of what was made, for its record; what is not JSON as its repr."""
    if not is_dataclass(made) or inspect.isclass(made):
        return {}
    return dict(json.loads(json.dumps(asdict(made), default=repr)))


def _attribute(path: Path, spec: str, noun: str) -> Any:
    if not path.is_file():
        raise ValueError(f"{noun} {spec!r}: there is no file {path}")
    module = _module(path)
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


def _module(path: Path) -> Any:
    """Run a user's file once a process, under a name by which its solvers can be pickled."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    name = f"podlab_candidate_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    loader = importlib.util.spec_from_file_location(name, path)
    assert loader is not None
    assert loader.loader is not None
    module = importlib.util.module_from_spec(loader)
    sys.modules[name] = module
    try:
        loader.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ValueError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module
