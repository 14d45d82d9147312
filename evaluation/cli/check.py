"""`podlab check`: run the conformance checks on a solver."""

import sys
from typing import Annotated

import typer

from evaluation.cli.usage_error import usage_error


def check(
    solver: Annotated[str, typer.Argument(help="Registered solver, or path/to/file.py:name.")],
) -> None:
    """Run the conformance checks on a solver."""
    import lb.testing
    from evaluation.candidates.candidate import Candidate

    try:
        made = Candidate(solver).make()
    except (ValueError, OSError) as error:
        usage_error(error)
    try:
        results = lb.testing.check_solver(made)
    except AssertionError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    for name, text in results.items():
        print(f"{name:32}{text}")
