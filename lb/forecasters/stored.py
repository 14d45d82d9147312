"""Save and load learned forecasters in skops files, which run no code when they are read."""

import importlib
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lb.atomic_file import write_file
from lb.forecasters.learned import LearnedForecaster, Regressions, _ridge

#: Rises whenever an older file would be read wrongly.
SCHEMA = "podlab learned forecaster 1"
#: Features of the two regressions.
WIDTHS = {"change": 2, "spread": 3}
NUMBERS = ("memory", "penalty", "lowest_drift", "usual_drift", "highest_drift", "widest")


def save(forecaster: LearnedForecaster, path: str | Path) -> None:
    """Write a fitted forecaster, under its name only once the file is complete.

    Raises
    ------
    ValueError
        If it is not fitted.
    ImportError
        If skops is not there.
    """
    learned = forecaster.fitted
    if learned is None:
        raise ValueError("the forecaster is not fitted; save what fit(history) returns")
    numbers = (forecaster.memory, forecaster.penalty, *learned.drift_range, learned.widest)
    content = {"schema": SCHEMA, **dict(zip(NUMBERS, numbers, strict=True))}
    content |= {name: getattr(learned, name) for name in WIDTHS}
    write_file(_skops().dumps(content), path)


def load(path: str | Path) -> LearnedForecaster:
    """Read a forecaster that :func:`save` wrote; no type beyond those it writes is trusted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is none of these, is damaged, or holds a type that is not trusted.
    ImportError
        If skops or scikit-learn is not there.
    """
    skops, ridge, source = _skops(), _ridge(), Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"{source}: there is no such file")
    # skops lists the types in a file without loading it, so that no code of an untrusted file runs.
    try:
        untrusted = skops.get_untrusted_types(file=source)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{source}: no saved forecaster, or damaged ({error})") from None
    if untrusted:
        raise ValueError(
            f"{source}: holds {', '.join(untrusted)}, which no saved forecaster does; do not use it"
        )
    content: Any = skops.load(source, trusted=[])
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{source}: no {SCHEMA!r}; save the forecaster again")
    for name, width in WIDTHS.items():
        found: Any = content.get(name)
        if type(found) is not ridge or getattr(found, "n_features_in_", None) != width:
            raise ValueError(f"{source}: {name!r} is no ridge regression on {width} features")
        numbers = np.append(found.coef_, found.intercept_)
        if len(numbers) != width + 1 or not np.isfinite(numbers).all():
            raise ValueError(f"{source}: {name!r} has not {width + 1} finite coefficients")
    for name in NUMBERS:
        number: Any = content.get(name)
        if type(number) not in (int, float) or not math.isfinite(number):
            raise ValueError(f"{source}: {name} = {number!r} is no number; save it again")
    memory, penalty, lowest, usual, highest, widest = (content[name] for name in NUMBERS)
    drift_range = (lowest, usual, highest)
    learned = Regressions(content["change"], content["spread"], drift_range, widest)
    return LearnedForecaster(memory, penalty, learned)


def _skops() -> Any:
    try:
        return importlib.import_module("skops.io")
    except ImportError:
        raise ImportError("saving and loading needs skops: pip install 'podlab[learn]'") from None
