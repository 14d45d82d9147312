"""Registries of interchangeable implementations, which are loaded when they are first used."""

import difflib
import importlib
import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any, cast


class Registry:
    """A dict from name to implementation or ``"module:attribute"``, open to other distributions.

    Parameters
    ----------
    noun
        What is registered, for error messages: "solver".
    builtin
        Name to ``"module:attribute"``.
    group
        Entry-point group through which installed distributions add names, "podlab.solvers".
    """

    def __init__(self, noun: str, builtin: dict[str, str], group: str) -> None:
        self.noun = noun
        self.group = group
        self._targets: dict[str, Any] = dict(builtin)
        self._searched_entry_points = False

    def register(self, name: str, target: Any = None) -> Any:
        """Add ``target`` (a class, a function or ``"module:attribute"``) under ``name``.

        Without a target this is a decorator: ``@lb.register("mine")``.

        Raises
        ------
        ValueError
            If the name is taken by something else, or is not a name.
        """
        if not isinstance(name, str) or not name:
            raise ValueError(f"{name!r} is no name for a {self.noun}; give a non-empty string")
        if target is None:
            return lambda decorated: self.register(name, decorated)
        if not callable(target) and not isinstance(target, str):
            raise ValueError(
                f"{self.noun} {name!r} is a {type(target).__name__}; give a callable or "
                "'module:attribute'"
            )
        if self._targets.get(name, target) != target:
            raise ValueError(f"{self.noun} {name!r} is already registered; choose another name")
        self._targets[name] = target
        return target

    def available(self) -> list[str]:
        """Return all names, sorted."""
        self._search_entry_points()
        return sorted(self._targets)

    def make(self, name: str, **params: Any) -> Callable[..., Any]:
        """Return the implementation called ``name``, configured with ``params``.

        Raises
        ------
        ValueError
            If no such name is registered (the nearest is suggested), or it has no such parameter.
        """
        target = self.load(name)
        if not inspect.isclass(target):
            if params:
                raise ValueError(
                    f"{self.noun} {name!r} is a plain function without parameters; "
                    f"leave out {', '.join(params)}"
                )
            return cast("Callable[..., Any]", target)
        accepted = self.parameters(name)
        unknown = sorted(set(params) - set(accepted))
        if unknown:
            raise ValueError(
                f"{self.noun} {name!r} has no parameter {', '.join(map(repr, unknown))}; "
                f"it takes {', '.join(accepted) or 'none'}"
            )
        return cast("Callable[..., Any]", target(**params))

    def parameters(self, name: str) -> list[str]:
        """Return the parameters that ``make(name, …)`` takes."""
        target = self.load(name)
        return list(inspect.signature(target).parameters) if inspect.isclass(target) else []

    def load(self, name: str) -> Any:
        """Return the class or function called ``name``, not yet configured; errors as of make."""
        if name not in self._targets:
            self._search_entry_points()
        if name not in self._targets:
            near = difflib.get_close_matches(str(name), self._targets, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"unknown {self.noun} {name!r}: {hint}registered are {', '.join(self.available())}"
            )
        target = self._targets[name]
        # Targets are loaded on first use, so that importing the registry loads no solver.
        if isinstance(target, str):
            module, _, attribute = target.partition(":")
            target = self._targets[name] = getattr(importlib.import_module(module), attribute)
        return target

    def _search_entry_points(self) -> None:
        """Add the entry points of installed distributions. Built-in names take precedence."""
        if self._searched_entry_points:
            return
        self._searched_entry_points = True
        for point in importlib.metadata.entry_points(group=self.group):
            # Built-in names and earlier registrations stay.
            self._targets.setdefault(point.name, point.value)
