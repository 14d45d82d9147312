"""An option of the command line that may stand alone, without its value."""

from typing import Any, ClassVar

from typer.core import TyperCommand


class MayStandAlone(TyperCommand):
    """A command that takes ``--ray`` without an address for ``--ray local``.

    Typer gives an option a value or none, not both; click's own way to say so it does not pass on.
    """

    alone: ClassVar[dict[str, str]] = {"--ray": "local"}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write out what is meant, and read on as ever."""
        whole: list[str] = []
        for this, after in zip(args, [*args[1:], "-"], strict=False):
            whole += (
                [this, self.alone[this]] if this in self.alone and after[0:1] == "-" else [this]
            )
        return super().parse_args(ctx, whole)
