"""Which callable of a user's file is meant, and how it wants to be asked."""

import ast
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Names that are found in a file without being named.
KNOWN = ("rebalance_experts", "rebalance", "solver", "solve")

#: Arguments that an entry cannot do without, to how it is asked.
DIALECTS = {1: "problem", 3: "competition", 5: "eplb"}


def entry_name(path: Path, name: str = "") -> str:
    """Return the name to ask for in a user's file, without running it.

    Parameters
    ----------
    path
        The file.
    name
        What the user named; empty: the only one of :data:`KNOWN` that the file defines, else its
        only function of ``problem``, or class whose objects are called with ``problem``.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be parsed, or nothing or more than one thing fits.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path} cannot be run: {type(error).__name__}: {error}") from None
    defined = list(dict.fromkeys(_defined(tree)))
    if name:
        if name in defined or "*" in defined:
            return name
        raise ValueError(
            f"{path} has no callable {name!r}; give {path}:NAME, where NAME is one of "
            f"{', '.join(defined) or '(the file defines none)'}"
        )
    fitting = [one for one in KNOWN if one in defined] or _of_problem(tree)
    if len(fitting) == 1:
        return fitting[0]
    what = f"defines {' and '.join(fitting)}" if fitting else "defines no entry that is known"
    raise ValueError(
        f"{path} {what}; give {path}:NAME, where NAME is one of "
        f"{', '.join(defined) or '(the file defines none)'}"
    )


def imports(path: Path, package: str) -> bool:
    """Say whether a file imports a package anywhere."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if any(one.split(".")[0] == package for one in names):
            return True
    return False


def is_seeded(path: Path, name: str = "") -> bool:
    """Say, without running it, whether a file's entry is a class with a parameter ``seed``.

    Parameters as of :func:`entry_name`; what that refuses has no seed.
    """
    try:
        found = entry_name(path, name)
    except ValueError:
        return False
    for node in ast.parse(path.read_bytes(), str(path)).body:
        if isinstance(node, ast.ClassDef) and node.name == found:
            made = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            taken = [_arguments(one) for one in made if one.name == "__init__"]
            fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
            named = [one.id for one in fields if isinstance(one, ast.Name)]
            return "seed" in (taken[0] if taken else named)
    return False


def dialect_of(name: str, entry: Any) -> str:
    """Return how an entry is asked: "problem", "eplb" or "competition".

    That goes by its name or, under another name, by how many arguments it cannot do without.

    Raises
    ------
    ValueError
        If it cannot be called, or takes another number of arguments.
    """
    if not callable(entry):
        raise ValueError(f"{name} is a {type(entry).__name__}, which cannot be called")
    if name in ("rebalance_experts", "rebalance"):
        return "eplb" if name == "rebalance_experts" else "competition"
    try:
        found = inspect.signature(entry).parameters.values()
    except (TypeError, ValueError):
        return "problem"
    needed = sum(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        for one in found
    )
    if needed == 0 and any(one.kind is one.VAR_POSITIONAL for one in found):
        return "problem"
    if needed not in DIALECTS:
        raise ValueError(
            f"{name} takes {needed} arguments; a solver takes problem, rebalance_experts takes "
            "(weight, num_replicas, num_groups, num_nodes, num_gpus), and rebalance takes "
            "(hotness, n_device, n_red_expert)"
        )
    return DIALECTS[needed]


def made(entry: Any, seed: int) -> Any:
    """Return what is called: an object of a class, with the seed if it takes one."""
    if not inspect.isclass(entry):
        return entry
    seeded = "seed" in inspect.signature(entry).parameters
    return entry(**({"seed": seed} if seeded else {}))


def module_of(path: Path) -> Any:
    """Run a user's file once a process, under a name by which its solvers can be pickled.

    Raises
    ------
    ValueError
        Naming the file, if it fails.
    """
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


def _defined(node: ast.AST) -> Iterator[str]:
    """Yield what a module defines outside of its functions and classes; "*" if all of another."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.ImportFrom):
            names = (alias.asname or alias.name for alias in child.names)
            yield from (one for one in names if one in KNOWN or one == "*")
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, ast.Lambda | ast.comprehension):
            yield from _defined(child)


def _of_problem(tree: ast.Module) -> list[str]:
    """Return the functions of a problem, and classes whose objects are called with one."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _arguments(node)[:1] == ["problem"]:
            found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            called = [_arguments(one)[1:2] for one in methods if one.name == "__call__"]
            found += [node.name] if ["problem"] in called else []
    return found


def _arguments(function: ast.FunctionDef) -> list[str]:
    taken = function.args
    return [one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
