"""A progress bar on standard error, where that is a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def progress(*columns: "ProgressColumn") -> "Progress":
    """Return a bar of these columns, or of Rich's usual ones, that is removed at the end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
