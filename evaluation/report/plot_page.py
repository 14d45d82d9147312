"""Plots as a file of their own: an HTML page that needs no network, or an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.files.output_path import check_output
from evaluation.report import image
from evaluation.report.assets import asset_text, plotly_file
from evaluation.report.jinja_environment import page_environment
from evaluation.report.panel import Table
from evaluation.report.plot import Plot
from traces.atomic_file import atomic_write

TEMPLATE = "page.html.j2"
STYLE = "site.css"
SCRIPTS = ("plot_theme.js", "plots.js")


@dataclass(frozen=True)
class PageText:
    """Text and tables of a page with plots. An image leaves them out.

    Parameters
    ----------
    lines
        Sentences under the title.
    tables, tables_below
        Tables by their titles, above and below the plots.
    details
        Preformatted texts by their headings, folded, below the plots.
    """

    lines: Sequence[str] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    tables_below: Mapping[str, Table] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)


def check(path: Path, option: str) -> None:
    """Raise unless :func:`write` can write ``path``; call it before the work.

    Parameters
    ----------
    path
        The file.
    option
        The option that names it, for the message.

    Raises
    ------
    ValueError
        If the name does not end in .html, .svg or .png, or no file can be written there.
    ImportError
        If the name asks for an image, and kaleido or a browser for it is missing.
    """
    check_output(path, (".html", *image.ENDINGS), option)
    if path.suffix in image.ENDINGS:
        image.check(path)


def write(path: Path, title: str, plots: Sequence[Plot], page_text: PageText | None = None) -> None:
    """Write plots under a temporary name, then rename.

    Parameters
    ----------
    path
        A name that ends in .html for a page of about 5 MB, most of which is plotly.js; in .svg or
        .png for an image of the plots, one below the other.
    title
        Title of the page or image.
    plots
        At least one.
    page_text
        Sentences and tables of the page.

    Raises
    ------
    ValueError, ImportError
        As in :func:`check`; also an ImportError if plotly or jinja2 is not installed.
    """
    check(path, "")
    if path.suffix == ".html":
        content = html(title, plots, page_text).encode()
    else:
        content = image.draw(title, plots, path.suffix.removeprefix("."))
    with atomic_write(path) as file:
        file.write(content)


def html(title: str, plots: Sequence[Plot], page_text: PageText | None = None) -> str:
    """Return the page of :func:`write` as text."""
    scripts = [plotly_file().read_text(encoding="utf-8"), *map(asset_text, SCRIPTS)]
    template = page_environment().get_template(TEMPLATE)
    return str(
        template.render(
            title=title,
            plots=plots,
            text=page_text or PageText(),
            style=asset_text(STYLE),
            scripts=scripts,
        )
    )
