"""The traces that come with podlab, recorded or generated, and the one door to these and files."""

import difflib
import os
from pathlib import Path

from traces.generated import GENERATED
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

FOLDER = Path(__file__).parent / "samples"


def available() -> list[str]:
    """Return the names of the bundled and the generated traces."""
    return sorted([*(path.stem for path in FOLDER.glob("*.parquet")), *GENERATED])


def open(path_or_name: str | Path) -> StoredTrace | RoutingTrace:
    """Open a trace to be read piece by piece; a generated one is made anew, in memory.

    Parameters
    ----------
    path_or_name
        A store file, or the name of a bundled or generated trace.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file or name (the nearest is suggested), or the file cannot be read.
    """
    text = str(path_or_name)
    is_path = isinstance(path_or_name, Path) or os.sep in text or text.endswith(".parquet")
    if is_path or Path(text).is_file():
        return StoredTrace(path_or_name)
    if text not in available():
        near = difflib.get_close_matches(text, available(), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown trace {text!r}: {hint}bundled are {', '.join(available())}; "
            "a file is given by its path"
        )
    if text in GENERATED:
        return GENERATED[text]()
    return StoredTrace(FOLDER / f"{text}.parquet")


def load(path_or_name: str | Path) -> RoutingTrace | TokenTrace:
    """Return a whole trace in memory; parameters and errors as in :func:`open`."""
    return open(path_or_name).load()
