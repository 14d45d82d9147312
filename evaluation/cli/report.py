"""`podlab report`: records as a site that opens without a server."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli.usage_error import refuse

#: Problems said on standard error; all of them are on the page.
SAID = 10


def report(
    records: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files of records. [default: podlab-records]"),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The folder that is made; an earlier report there is replaced.")
    ] = Path("site"),
    title: Annotated[str, typer.Option(help="Heading of the report.")] = "podlab report",
    check: Annotated[
        bool,
        typer.Option("--check", help="Run the conformance checks of registered solvers: minutes."),
    ] = False,
) -> None:
    """Write a static site from records: leaderboards, plots, a page for each candidate.

    It opens from its folder, without a server or a network, on a phone too.
    """
    from evaluation.report.record_files import read
    from evaluation.report.write import write

    places = records or [Path("podlab-records")]
    try:
        found, problems = read(places)
        first = write(found, problems, out, title=title, check=check, sources=places)
    except (ValueError, OSError, ImportError) as error:
        refuse(error)
    for problem in problems[:SAID]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(problems) > SAID:
        print(f"left out: {len(problems) - SAID} more, named on the first page", file=sys.stderr)
    print(f"{first}: a report of {len(found):,} records; open it in a browser")
