"""Options whose value is optional."""

from typing import Any, ClassVar

from typer.core import TyperCommand


class OptionalValueCommand(TyperCommand):
    """A command that reads ``--ray`` without an address as ``--ray local``.

    Typer gives an option either a value or none, and does not pass on click's setting for both.
    """

    values: ClassVar[dict[str, str]] = {"--ray": "local"}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the values that are left out, then parse as usual."""
        complete: list[str] = []
        for word, following in zip(args, [*args[1:], "-"], strict=False):
            complete.append(word)
            if word in self.values and following.startswith("-"):
                complete.append(self.values[word])
        return super().parse_args(ctx, complete)
