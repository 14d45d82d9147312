"""Read loads from a file of numbers or a trace, as windows of tokens."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import traces

#: Endings of files with a matrix [layers, experts] or [windows, layers, experts].
MATRICES = (".npy", ".npz", ".csv", ".json")
#: Keys of the matrix in a JSON object or an .npz. SGLang's recorder writes ``logical_count``, and
#: podlab's own .npz has ``counts``, perhaps with times beside them.
KEYS = ("load", "logical_count", "counts")


def read(spec: str, window_steps: int | None = None, step_tokens: int | None = None) -> Any:
    """Return [windows, layers, experts] or [layers, experts] tokens.

    Parameters
    ----------
    spec
        A file with one of the endings in ``MATRICES``, a trace (.parquet), or the name of a bundled
        trace.
    window_steps
        Steps of a trace in one window. Default: all steps are one window.
    step_tokens
        Tokens of one step, for a trace of tokens without steps.

    Raises
    ------
    ValueError, OSError
        If there is no such file or name, it cannot be read, or an option does not fit it.
    """
    path = Path(spec)
    if path.suffix not in MATRICES:
        return _windows(traces.load(spec, "routing"), window_steps, step_tokens)
    if window_steps is not None or step_tokens is not None:
        raise ValueError(f"{path} is a matrix; window_steps and step_tokens apply to traces only")
    return read_array(path, KEYS)


def read_array(path: Path, keys: tuple[str, ...]) -> Any:
    """Return the array of a file: an .npy, a .csv, a JSON list, or the only array of an .npz.

    Parameters
    ----------
    path
        The file.
    keys
        Possible keys of the array in a JSON object or an .npz.

    Raises
    ------
    ValueError, OSError
        Naming the file, if it cannot be read.
    """
    try:
        if path.suffix == ".json":
            return _json_array(json.loads(path.read_text(encoding="utf-8")), keys)
        if path.suffix == ".csv":
            return _csv_array(path.read_text(encoding="utf-8"))
        with path.open("rb") as file:
            return _numpy_array(np.load(file, allow_pickle=False), keys)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # readers of NumPy, zip and JSON files raise many types
        raise ValueError(f"{path}: {error}") from None


def _numpy_array(content: Any, keys: tuple[str, ...]) -> NDArray[Any]:
    """Return an array, or the array of an archive: the one with a known key, or the only one."""
    if isinstance(content, np.ndarray):
        return content
    names = [name for name in keys if name in content.files] or content.files
    if len(names) != 1:
        arrays = ", ".join(content.files) or "none"
        raise ValueError(f"has arrays {arrays}; it needs one, or one named {' or '.join(keys)}")
    array: NDArray[Any] = content[names[0]]
    return array


def _json_array(content: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(content, dict):
        return content
    named = [key for key in keys if key in content]
    if len(named) != 1:
        raise ValueError(f"has keys {sorted(content)}; it needs one of {', '.join(keys)}")
    return content[named[0]]


def _csv_array(text: str) -> NDArray[np.float64]:
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
                    f"window_steps = {window_steps} counts steps, but these tokens have no steps; "
                    "give step_tokens, too"
                )
            trace = trace.split(trace.num_tokens)
        trace = trace.counts()
    elif step_tokens is not None:
        raise ValueError(
            "step_tokens applies to traces of tokens only; this trace has counts per step"
        )
    counts: NDArray[np.int64] = trace.windows(
        trace.num_steps if window_steps is None else window_steps
    )
    return counts
