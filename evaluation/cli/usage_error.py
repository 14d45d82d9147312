"""How the command line reports a wrong call: one line on standard error, and exit code 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer


def usage_error(error: Exception) -> NoReturn:
    """Print what is wrong with the call, and exit with code 2."""
    print(f"podlab: {error}", file=sys.stderr)
    raise typer.Exit(2) from None


@contextmanager
def usage_errors() -> Iterator[None]:
    """Report a wrong value, an unreadable file or a missing extra as an error of usage."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        usage_error(error)
