"""Loads from a file of numbers or from a trace, as windows of tokens."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import traces

#: Endings of files that hold a matrix [layers, experts] or [windows, layers, experts].
MATRICES = (".npy", ".npz", ".csv", ".json")
#: Keys under which a JSON object may hold its matrix; SGLang's recorder says ``logical_count``.
KEYS = ("load", "logical_count")


def read(spec: str, window_steps: int | None = None, step_tokens: int | None = None) -> Any:
    """Return [windows, layers, experts] or [layers, experts] tokens.

    Parameters
    ----------
    spec
        A file with one of the endings above, a trace (.parquet), or the name of a bundled trace.
    window_steps
        Steps of a trace in one window; by default all are one window.
    step_tokens
        Tokens in a step, for a trace of tokens that are not in steps.

    Raises
    ------
    ValueError, OSError
        If there is no such file or name, it cannot be read, or an option does not go with it.
    """
    path = Path(spec)
    if path.suffix not in MATRICES:
        return _windows(traces.load(spec, "routing"), window_steps, step_tokens)
    if window_steps is not None or step_tokens is not None:
        raise ValueError(f"{path} is a matrix; steps and windows are counted in traces")
    return read_array(path, KEYS)


def read_array(path: Path, keys: tuple[str, ...]) -> Any:
    """Return the array of a file: a whole .npy, .csv or JSON list, the only one of an .npz.

    Parameters
    ----------
    path
        The file.
    keys
        Keys under which a JSON object or an .npz may hold it.

    Raises
    ------
    ValueError, OSError
        Naming the file, if it cannot be read.
    """
    try:
        if path.suffix == ".json":
            return _chosen(json.loads(path.read_text(encoding="utf-8")), keys)
        if path.suffix == ".csv":
            return _table(path.read_text(encoding="utf-8"))
        with path.open("rb") as file:
            return _stored(np.load(file, allow_pickle=False), keys)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # numpy, zip and JSON readers each have errors of their own
        raise ValueError(f"{path}: {error}") from None


def _stored(found: Any, keys: tuple[str, ...]) -> NDArray[Any]:
    if isinstance(found, np.ndarray):
        return found
    names = [name for name in keys if name in found.files] or found.files
    if len(names) != 1:
        there = ", ".join(found.files) or "none"
        raise ValueError(f"has arrays {there}; it needs one, or one named {' or '.join(keys)}")
    array: NDArray[Any] = found[names[0]]
    return array


def _chosen(content: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(content, dict):
        return content
    named = [key for key in keys if key in content]
    if len(named) != 1:
        raise ValueError(f"has keys {sorted(content)}; it needs one of {', '.join(keys)}")
    return content[named[0]]


def _table(text: str) -> NDArray[np.float64]:
    if not text.strip():
        raise ValueError("is empty; give a line of comma-separated numbers for every layer")
    return np.loadtxt(text.splitlines(), delimiter=",", ndmin=2)


def _windows(trace: Any, window_steps: int | None, step_tokens: int | None) -> NDArray[np.int64]:
    if isinstance(trace, traces.TokenTrace):
        if step_tokens is not None:
            trace = trace.split(step_tokens)
        elif trace.step is None:
            if window_steps is not None:
                raise ValueError(
                    f"window_steps = {window_steps} counts steps, and these tokens are in none; "
                    "give step_tokens as well"
                )
            trace = trace.split(trace.num_tokens)
        trace = trace.counts()
    elif step_tokens is not None:
        raise ValueError("step_tokens goes with a trace of tokens; this one counts steps")
    counts: NDArray[np.int64] = trace.windows(
        trace.num_steps if window_steps is None else window_steps
    )
    return counts
