"""How the command line says that it was called wrongly."""

import sys
from typing import NoReturn

import typer


def refuse(error: Exception) -> NoReturn:
    """Say what is wrong with the call in one line, and leave with 2."""
    print(f"podlab: {error}", file=sys.stderr)
    raise typer.Exit(2) from None
