"""Write a report as a folder, whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from evaluation.files.output_path import check_output_folder
from evaluation.report.assets import STATIC, plotly_file
from evaluation.report.panel import Record
from evaluation.report.record_files import MARK
from evaluation.report.site_pages import build
from traces.atomic_file import atomic_path

ASSETS = ("site.css", "site.js", "plot_theme.js", "plots.js")


def write(
    records: list[Record],
    problems: list[str],
    out: Path,
    *,
    title: str = "podlab report",
    check: bool = False,
    sources: Iterable[Path] = (),
) -> Path:
    """Write the report of ``records`` and return its first page.

    An earlier report in the folder is replaced when the new one is complete.

    Parameters
    ----------
    records, problems, title, check
        As in :func:`evaluation.report.site_pages.build`.
    out
        A folder that is missing, empty, or a report.
    sources
        Folders and files of the records; none may be in the folder that is replaced.

    Raises
    ------
    ValueError
        If the folder holds anything else, or the records.
    ImportError
        If jinja2 or plotly is not installed.
    """
    _refuse_others(out, sources)
    plotly = plotly_file()
    pages = build(records, problems, title, check)
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        with atomic_path(out) as folder:
            _fill(folder, pages, plotly, len(records))
            if out.exists():
                out.rename(old)
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    return out / "index.html"


def _fill(folder: Path, pages: dict[str, str], plotly: Path, records: int) -> None:
    """Write pages, assets and the file that marks a report into a folder."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "assets").mkdir()
    for name in ASSETS:
        shutil.copyfile(STATIC / name, folder / "assets" / name)
    shutil.copyfile(plotly, folder / "assets" / "plotly.min.js")
    mark = {"podlab-report": 1, "records": records}
    (folder / MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")


def _refuse_others(out: Path, sources: Iterable[Path]) -> None:
    check_output_folder(out)
    for source in sources:
        if source.resolve().is_relative_to(out.resolve()):
            raise ValueError(f"{out} holds the records {source}; give --out another folder")
    if out.is_dir() and any(out.iterdir()) and not _is_report(out):
        raise ValueError(
            f"{out} is a folder that podlab report did not make; give --out a new name, or empty it"
        )


def _is_report(folder: Path) -> bool:
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(mark, dict) and "podlab-report" in mark
