"""The error that stands for an exception of a sandboxed program."""


class ProgramError(RuntimeError):
    """An exception of a program, as type and text: "KeyError: 3"."""
