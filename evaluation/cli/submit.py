"""`podlab submit`: pack records into one file to share."""

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import options
from evaluation.cli.usage_error import usage_errors


def submit(
    folder: options.Records,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("submission.zip"),
    solver: Annotated[
        list[Path] | None,
        typer.Option(help="File of a solver that made some of the records; repeatable."),
    ] = None,
) -> None:
    """Pack records, solvers' files and the environment into one file to share."""
    from evaluation.records.submission.pack import pack

    with usage_errors():
        contents = pack(folder, out, solver or [])
    count = sum(name.startswith("records/") for name in contents["files"])
    print(f"{count} records and {len(contents['files']) - count} solvers' files in {out}")
