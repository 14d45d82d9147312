"""No module of the project needs itself through others, whenever or why ever it is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]
PACKAGES = ("lb", "traces", "hardware", "schedulers", "evaluation")

#: The one deliberate circle: `bootstrap` travels to other machines as code and unpacks podlab
#: there before it imports `node`.
DELIBERATE = {"evaluation.records.sweep.bootstrap", "evaluation.records.sweep.node"}


def modules() -> dict[str, Path]:
    """Return the modules of all packages by their dotted names."""
    paths: dict[str, Path] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules that a file imports: also in functions and for type checkers alone.

    ``from package import name`` is the module ``package.name`` if there is one, else ``package``.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from (name for name in (name, node.module)[:1] if name in known)
                if name not in known and node.module in known:
                    yield node.module


def circles(packages: dict[str, Path]) -> list[set[str]]:
    """Return the groups of modules in which each needs each of the others."""
    graph = nx.DiGraph()
    for name, path in packages.items():
        graph.add_edges_from((name, other) for other in imports(path, packages) if other != name)
    return [group for group in nx.strongly_connected_components(graph) if len(group) > 1]


if __name__ == "__main__":
    for group in circles(modules()):
        print(len(group), sorted(group))
