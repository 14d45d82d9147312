"""`podlab leaderboard show`: the leaderboards of a folder of records."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors


def show(
    folder: Annotated[Path, typer.Argument(help="Folder of records, of one suite or several.")],
    as_json: options.AsJson = False,
) -> None:
    """Print the leaderboard of each suite whose records a folder holds, without running any."""
    from evaluation.kinds import named
    from evaluation.leaderboard import table

    with usage_errors():
        by_suite = _by_suite(folder)
        kinds = {key: named(key[1]) for key in by_suite}
    rankings = {key: kinds[key].ranking(records) for key, records in by_suite.items()}
    if as_json:
        print(json.dumps([ranking.as_dict() for ranking in rankings.values()], indent=1))
        return
    console = table_console(table.WIDTH, keep_terminal=True)
    for key, ranking in rankings.items():
        title = f"podlab · {key[0]} · {len(by_suite[key])} records"
        table.render(kinds[key].leaderboard(ranking), title, console)


def _by_suite(folder: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return records by suite and kind, in the order of their names.

    Raises
    ------
    ValueError
        If the folder holds no records, or a file that is not a record.
    """
    from evaluation.kinds import name_of
    from evaluation.records import record_file

    by_suite: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in record_file.read_all(folder):
        by_suite.setdefault((record["suite"], name_of(record)), []).append(record)
    if not by_suite:
        raise ValueError(f"{folder} holds no records")
    return dict(sorted(by_suite.items()))
