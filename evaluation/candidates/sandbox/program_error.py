"""The error that stands for one that a program raised itself, in a process of its own."""


class Raised(RuntimeError):
    """What a program raised: its type and text, "KeyError: 3"."""
