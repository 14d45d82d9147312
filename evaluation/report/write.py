"""A report as a folder, whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from evaluation.files.output_path import check_output_folder
from evaluation.report.assets import STATIC, plotly_file
from evaluation.report.build import build
from evaluation.report.panel import Record
from evaluation.report.record_files import MARK

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

    It is made beside its place and renamed; an earlier report there is replaced.

    Parameters
    ----------
    records, problems, title, check
        As in :func:`evaluation.report.build.build`.
    out
        A folder that is missing, empty, or a report.
    sources
        Where records were read, which must not lie in the folder that is replaced.

    Raises
    ------
    ValueError
        If the folder holds anything else, or the records.
    ImportError
        If jinja2 or plotly is not installed.
    """
    _refuse_others(out, sources)
    plotly = plotly_file()
    found = build(records, problems, title, check)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        for name, text in found.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (partial / "assets").mkdir()
        for name in ASSETS:
            shutil.copyfile(STATIC / name, partial / "assets" / name)
        shutil.copyfile(plotly, partial / "assets" / "plotly.min.js")
        mark = {"podlab-report": 1, "records": len(records)}
        (partial / MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")
        if out.exists():
            out.rename(old)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    return out / "index.html"


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
