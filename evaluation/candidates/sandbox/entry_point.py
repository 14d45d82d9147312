"""Find the entry in a user's file, and its calling convention."""

import ast
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Entries with these names are found without the user naming them.
KNOWN_ENTRIES = ("rebalance_experts", "rebalance", "solver", "solve")

#: Calling convention by the number of required arguments.
CONVENTIONS = {1: "problem", 3: "competition", 5: "eplb"}


def entry_name(path: Path, name: str = "") -> str:
    """Return the name of the entry in a user's file, without running the file.

    Parameters
    ----------
    path
        The file.
    name
        The name that the user gave. If it is empty, the entry is the only one of
        :data:`KNOWN_ENTRIES` that the file defines, or else the only function of ``problem`` or
        class whose objects are called with ``problem``.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be parsed, or it has no entry or several ones.
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
    entries = [known for known in KNOWN_ENTRIES if known in defined] or _solvers(tree)
    if len(entries) == 1:
        return entries[0]
    fault = f"defines {' and '.join(entries)}" if entries else "defines no known entry"
    raise ValueError(
        f"{path} {fault}; give {path}:NAME, where NAME is one of "
        f"{', '.join(defined) or '(the file defines none)'}"
    )


def imports_package(path: Path, package: str) -> bool:
    """Return whether a file imports a package anywhere."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if any(name.split(".")[0] == package for name in names):
            return True
    return False


def is_seeded(path: Path, name: str = "") -> bool:
    """Return whether a file's entry is a class with a parameter ``seed``, without running the file.

    Parameters as in :func:`entry_name`. A file without an entry has no seed.
    """
    try:
        entry = entry_name(path, name)
    except ValueError:
        return False
    for node in ast.parse(path.read_bytes(), str(path)).body:
        if isinstance(node, ast.ClassDef) and node.name == entry:
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            arguments = [_arguments(method) for method in methods if method.name == "__init__"]
            # A dataclass has no __init__ in its source: its annotated fields are the parameters.
            targets = [item.target for item in node.body if isinstance(item, ast.AnnAssign)]
            fields = [target.id for target in targets if isinstance(target, ast.Name)]
            return "seed" in (arguments[0] if arguments else fields)
    return False


def convention_of(name: str, entry: Any) -> str:
    """Return the calling convention of an entry: "problem", "eplb" or "competition".

    The name decides, if it is a known one. Otherwise the number of required arguments does.

    Raises
    ------
    ValueError
        If the entry is not callable, or requires another number of arguments.
    """
    if not callable(entry):
        raise ValueError(f"{name} is a {type(entry).__name__}, which cannot be called")
    if name in ("rebalance_experts", "rebalance"):
        return "eplb" if name == "rebalance_experts" else "competition"
    try:
        parameters = inspect.signature(entry).parameters.values()
    except (TypeError, ValueError):  # a builtin or extension type without a signature
        return "problem"
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = sum(
        parameter.default is parameter.empty and parameter.kind in positional
        for parameter in parameters
    )
    if required == 0 and any(item.kind is item.VAR_POSITIONAL for item in parameters):
        return "problem"
    if required not in CONVENTIONS:
        raise ValueError(
            f"{name} takes {required} arguments; a solver takes problem, rebalance_experts takes "
            "(weight, num_replicas, num_groups, num_nodes, num_gpus), and rebalance takes "
            "(hotness, n_device, n_red_expert)"
        )
    return CONVENTIONS[required]


def instantiate(entry: Any, seed: int) -> Any:
    """Return the callable of an entry: a function, or an object of a class, seeded if possible."""
    if not inspect.isclass(entry):
        return entry
    seeded = "seed" in inspect.signature(entry).parameters
    return entry(**({"seed": seed} if seeded else {}))


def load_module(path: Path) -> Any:
    """Import a user's file, once per process, under a name by which its solvers can be pickled.

    Raises
    ------
    ValueError
        Naming the file, if it raises an error.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    # The hash keeps two files of one name apart, and a changed file from its older version.
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
    """Yield the names that a module defines at its top level; "*" for a wildcard import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.ImportFrom):
            names = (alias.asname or alias.name for alias in child.names)
            yield from (name for name in names if name in KNOWN_ENTRIES or name == "*")
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, ast.Lambda | ast.comprehension):
            yield from _defined(child)


def _solvers(tree: ast.Module) -> list[str]:
    """Return the functions of ``problem``, and the classes whose objects are called with one."""
    solvers = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _arguments(node)[:1] == ["problem"]:
            solvers.append(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            calls = [_arguments(method)[1:2] for method in methods if method.name == "__call__"]
            solvers += [node.name] if ["problem"] in calls else []
    return solvers


def _arguments(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return [argument.arg for argument in every]
