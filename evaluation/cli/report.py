"""`podlab report`: records as a static site."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output_folder

#: Number of problems printed on standard error; the first page of the report lists all.
PRINTED = 10


def report(
    records: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files of records. [default: podlab-records]"),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder to write; an earlier report there is replaced.")
    ] = Path("site"),
    title: Annotated[str, typer.Option(help="Heading of the report.")] = "podlab report",
    check: Annotated[
        bool,
        typer.Option("--check", help="Run the conformance checks of registered solvers (minutes)."),
    ] = False,
) -> None:
    """Write records as a static site: leaderboards, plots, and a page for each candidate.

    The site opens from its folder, without a server or a network.
    """
    from evaluation.report.record_files import read
    from evaluation.report.site_folder import write

    sources = records or [Path("podlab-records")]
    with usage_errors():
        check_output_folder(out)
        runs, problems = read(sources)
        page = write(runs, problems, out, title=title, check=check, sources=sources)
    for problem in problems[:PRINTED]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(problems) > PRINTED:
        print(
            f"left out: {len(problems) - PRINTED} more, listed on the first page", file=sys.stderr
        )
    print(f"{page}: a report of {len(runs):,} records; open it in a browser")
