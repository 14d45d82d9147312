"""Hooks of the documentation site: links out of ``docs/``, and references of whole registries."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # the site shows this checkout

OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)")
REGISTRY = re.compile(r"<!-- registry: (\w+)\.(\w+) -->")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Keep links to files of the repository readable, and list what is registered."""
    if page.file.src_uri.startswith("reference/"):
        return REGISTRY.sub(_entries, markdown)
    return OUTSIDE.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    """Return a link to a file that is no page of the site as the name of that file."""
    text, path = link[1], link[2]
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def _entries(comment: re.Match[str]) -> str:
    """Return a directive for each bundled implementation of a registry."""
    registry = getattr(importlib.import_module(comment[1]), comment[2])
    found = {registry.load(name) for name in registry.available()}
    paths = sorted(f"{one.__module__}.{one.__qualname__}" for one in found)
    return "\n".join(f"::: {path}\n    options:\n      heading_level: 3\n" for path in paths)
