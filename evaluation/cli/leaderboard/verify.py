"""`podlab leaderboard verify`: run a sample of a submission again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import options
from evaluation.cli.usage_error import usage_errors

if TYPE_CHECKING:
    from evaluation.kinds.verify import Verdict

REPRODUCED = ("exact", "within tolerance")


def verify(
    submission: Annotated[Path, typer.Argument(help="A file that podlab submit wrote.")],
    sample: Annotated[int, typer.Option(help="Number of records to run again; 0 for all.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for sampling records.")] = 0,
    tolerance: Annotated[
        float, typer.Option(help="Relative difference of a score that still reproduces.")
    ] = 1e-6,
    time_limit: options.TimeLimit = 10.0,
    memory_limit: options.MemoryLimit = 4096.0,
    as_json: options.AsJson = False,
) -> None:
    """Run a sample of a submission again; exit with 1 if a record does not reproduce.

    Solvers from files run in processes of their own, under limits: that prevents accidents, but
    not malice. Run untrusted solvers only on a machine that holds nothing of value.
    """
    from evaluation.candidates.sandbox.limits import from_options
    from evaluation.kinds import verify as verification
    from evaluation.records.submission.unpack import unpack

    with usage_errors():
        verdicts = verification.verify(
            unpack(submission),
            sample or None,
            seed,
            tolerance=tolerance,
            limits=from_options(time_limit, memory_limit),
            on_verdict=_ignore if as_json else _print,
        )
    if as_json:
        print(json.dumps([vars(verdict) for verdict in verdicts], indent=1))
    reproduced = sum(verdict.outcome in REPRODUCED for verdict in verdicts)
    differing = sum(verdict.outcome == "differs" for verdict in verdicts)
    if not as_json:
        unchecked = len(verdicts) - reproduced - differing
        print(
            f"{reproduced} of {len(verdicts)} reproduce, {differing} differ, "
            f"{unchecked} not checked"
        )
    if differing or not reproduced:
        raise typer.Exit(1)


def _print(verdict: "Verdict") -> None:
    reason = f": {verdict.reason}" if verdict.reason else ""
    print(f"{verdict.outcome:17}{verdict.record}{reason}", flush=True)


def _ignore(verdict: "Verdict") -> None:
    """Print nothing: all verdicts are printed as JSON at the end."""
