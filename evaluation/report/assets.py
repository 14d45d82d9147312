"""The files that pages share: style, scripts, templates, and plotly.js."""

import importlib.util
from pathlib import Path

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"


def asset_text(name: str) -> str:
    """Return a file of ``static/``, "site.css" say, as text."""
    return (STATIC / name).read_text(encoding="utf-8")


def plotly_file() -> Path:
    """Return the path of plotly.js in its Python package, without importing that package.

    Raises
    ------
    ImportError
        If plotly is not installed.
    """
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ImportError("a page with plots needs plotly: pip install 'podlab[lab]'")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
