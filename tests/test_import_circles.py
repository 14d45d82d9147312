"""No module of the project needs itself through other modules, however it imports them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]
PACKAGES = ("lb", "traces", "hardware", "schedulers", "evaluation")

#: The one deliberate circle: `bootstrap` travels to other machines as code, and imports `node` only
#: after it has unpacked podlab there.
DELIBERATE = {"evaluation.records.sweep.bootstrap", "evaluation.records.sweep.node"}


def modules(root: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """Return the file of every module by its dotted name."""
    files: dict[str, Path] = {}
    for package in packages:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the known modules that a file imports, also in functions and under TYPE_CHECKING.

    ``from package import name`` imports the module ``package.name`` if there is one, else
    ``package``. That importing a module runs the ``__init__`` of its packages first does not count.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = {name if name in known else str(node.module) for name in names}
            yield from targets & known.keys()


def circles(files: dict[str, Path]) -> list[set[str]]:
    """Return the groups of modules in which each module needs each of the others."""
    graph = nx.DiGraph()
    for name, path in files.items():
        graph.add_edges_from((name, other) for other in imports(path, files))
    return [group for group in nx.strongly_connected_components(graph) if len(group) > 1]


def test_the_only_circle_is_the_deliberate_one():
    """Lazy imports and imports for type checkers count as others do."""
    assert circles(modules(ROOT, PACKAGES)) == [DELIBERATE]


def test_lazy_and_type_only_imports_make_circles(tmp_path):
    """Three modules that need each other only in a function, for types and by name are a circle."""
    package = tmp_path / "toy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "alone.py").write_text("import toy.first\n")
    (package / "first.py").write_text("def call():\n    from toy.second import name\n")
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy import third\n"
    (package / "second.py").write_text(types)
    (package / "third.py").write_text("import toy.first\n")
    assert circles(modules(tmp_path, ("toy",))) == [{"toy.first", "toy.second", "toy.third"}]
