"""The Jinja2 environment of all pages."""

from typing import Any

from evaluation.report import theme
from evaluation.report.assets import TEMPLATES


def page_environment() -> Any:
    """Return a ``jinja2.Environment`` that escapes text and has the filter ``figure``.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    try:
        import jinja2
        import markupsafe
    except ImportError as error:
        raise ImportError(f"a page needs jinja2 ({error}): pip install 'podlab[lab]'") from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda figure: markupsafe.Markup(theme.to_json(figure))
    return environment
