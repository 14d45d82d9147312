"""`podlab submit` and `podlab leaderboard`: share records, and check those of others."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from evaluation.kinds.verify import Verdict

app = typer.Typer(help="Show records, and check what others submitted.", no_args_is_help=True)

REPRODUCED = ("exact", "within tolerance")


def submit(
    folder: Annotated[Path, typer.Argument(help="Folder of records, as podlab bench writes it.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("submission.zip"),
    solver: Annotated[
        list[Path] | None,
        typer.Option(help="File of a solver that records were made with. Repeat for several."),
    ] = None,
) -> None:
    """Pack records, solvers' files and the environment into one file to share."""
    from evaluation.records.submission.pack import pack

    try:
        contents = pack(folder, out, solver or [])
    except (ValueError, OSError) as error:
        usage_error(error)
    count = sum(name.startswith("records/") for name in contents["files"])
    print(f"{count} records and {len(contents['files']) - count} solvers' files in {out}")


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="Folder of records, of one suite or several.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the rankings as JSON.")] = False,
) -> None:
    """Print the leaderboard of each suite whose records a folder holds; nothing is run."""
    from evaluation.kinds import named
    from evaluation.leaderboard import table

    try:
        by_suite = _by_suite(folder)
        kinds = {key: named(key[1]) for key in by_suite}
    except (ValueError, OSError) as error:
        usage_error(error)
    rankings = {key: kinds[key].ranking(records) for key, records in by_suite.items()}
    if as_json:
        print(json.dumps([ranking.as_dict() for ranking in rankings.values()], indent=1))
        return
    console = table.console_for()
    for key, ranking in rankings.items():
        title = f"podlab · {key[0]} · {len(by_suite[key])} records"
        table.render(kinds[key].leaderboard(ranking), title, console)


def _by_suite(folder: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return records by suite and kind, in the order of their names.

    Raises
    ------
    ValueError
        If the folder holds no records, or a file that is none.
    """
    from evaluation.kinds import name_of
    from evaluation.records import record_file

    by_suite: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in record_file.read_all(folder):
        by_suite.setdefault((record["suite"], name_of(record)), []).append(record)
    if not by_suite:
        raise ValueError(f"{folder} holds no records")
    return dict(sorted(by_suite.items()))


@app.command()
def verify(
    submission: Annotated[Path, typer.Argument(help="A file that podlab submit wrote.")],
    sample: Annotated[int, typer.Option(help="Records to run again; 0 for all.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of the sample.")] = 0,
    tolerance: Annotated[
        float, typer.Option(help="Relative difference of a score that still reproduces.")
    ] = 1e-6,
    time_limit: Annotated[
        float, typer.Option(help="Seconds for one answer of a solver from a file.")
    ] = 10.0,
    memory_limit: Annotated[
        float, typer.Option(help="MiB of memory for a solver from a file.")
    ] = 4096.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a sample of a submission again; leave with 1 if a record does not reproduce.

    Solvers from files run in processes of their own, under limits: that keeps accidents away, and
    not malice. Run what you do not trust on a machine that you can lose.
    """
    from evaluation.candidates.sandbox.limits import from_options
    from evaluation.kinds.verify import verify as verified
    from evaluation.records.submission.unpack import unpack

    def show(verdict: "Verdict") -> None:
        if not as_json:
            reason = f": {verdict.reason}" if verdict.reason else ""
            print(f"{verdict.outcome:17}{verdict.record}{reason}", flush=True)

    try:
        found = verified(
            unpack(submission),
            sample or None,
            seed,
            tolerance=tolerance,
            limits=from_options(time_limit, memory_limit),
            on_verdict=show,
        )
    except (ValueError, OSError) as error:
        usage_error(error)
    good = sum(one.outcome in REPRODUCED for one in found)
    differing = sum(one.outcome == "differs" for one in found)
    if as_json:
        print(json.dumps([vars(one) for one in found], indent=1))
    else:
        unchecked = len(found) - good - differing
        print(f"{good} of {len(found)} reproduce, {differing} differ, {unchecked} not checked")
    if differing or not good:
        raise typer.Exit(1)
