"""Conformance checks of forecasters: one claim each, and one call for all of them.

In pytest, one test for every check::

    @pytest.mark.parametrize("check", FORECAST_CHECKS.values(), ids=FORECAST_CHECKS)
    def test_conformance(check):
        check(my_forecaster)
"""

import pickle
import random
import types
import unittest
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.protocols import Forecaster
from lb.testing.outcomes import outcomes

Array = NDArray[np.float64]


def _drifting(windows: int, layers: int, experts: int, seed: int = 5) -> Array:
    """Return lognormal loads that wander from window to window."""
    steps = np.random.default_rng(seed).normal(size=(windows, layers, experts))
    steps[1:] *= 0.3
    loads: Array = 100 * np.exp(np.cumsum(steps, axis=0))
    return loads


def forecast_instances() -> dict[str, NDArray[Any]]:
    """Return loads [windows, layers, experts] by name: small, and odd in one way each."""
    idle_layer, idle_window, idle_experts = (_drifting(5, 3, 12, seed) for seed in (6, 7, 8))
    idle_layer[:, 1] = 0
    idle_window[-1] = 0
    idle_experts[:, :, ::2] = 0
    return {
        "one-window": _drifting(1, 3, 12),
        "two-windows": _drifting(2, 3, 12),
        "three-windows": _drifting(3, 3, 12),
        "many-windows": _drifting(20, 2, 16),
        "one-expert": _drifting(4, 2, 1),
        "whole-tokens": np.floor(_drifting(5, 3, 12)).astype(np.int64),
        "falling-to-nothing": np.linspace(50, 0, 6)[:, None, None] * np.array([[1.0, 2, 3, 4]]),
        "all-zero": np.zeros((4, 2, 6)),
        "idle-layer": idle_layer,
        "idle-last-window": idle_window,
        "idle-experts": idle_experts,
    }


def _forecast(forecaster: Forecaster, load: NDArray[Any], where: str) -> Array:
    """Return the checked answer; whatever goes wrong becomes a failure of the check."""
    try:
        answer = forecaster(load)
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    assert isinstance(answer, np.ndarray), f"{where}: the answer is a {type(answer).__name__}"
    assert answer.shape == load.shape[1:], (
        f"{where}: the answer has shape {answer.shape}, not {load.shape[1:]} [layers, experts]"
    )
    bad = ~(np.isfinite(answer) & (answer >= 0))
    assert not bad.any(), f"{where}: a load is {answer[bad][0]}; it must be finite and >= 0"
    return answer


def _assert_close(one: Array, other: Array, load: NDArray[Any], what: str) -> None:
    """Raise unless two answers differ by no more than 1e-9 of the largest load seen."""
    apart = float(np.abs(one - other).max())
    limit = 1e-9 * float(load.max())
    assert apart <= limit, f"{what}: loads differ by {apart:g} > {limit:g}"


def check_forecast_valid(forecaster: Forecaster) -> None:
    """On every instance the answer is [layers, experts], finite and not negative."""
    for name, load in forecast_instances().items():
        _forecast(forecaster, load, name)


def check_forecast_pure(forecaster: Forecaster) -> None:
    """The windows are left as they were, and what was asked before changes no answer."""
    fields = repr(sorted(getattr(forecaster, "__dict__", {}).items()))
    cases, first = forecast_instances(), {}
    for name, load in cases.items():
        before = load.copy()
        answer = _forecast(forecaster, load, name)
        assert (load == before).all(), f"{name}: the windows were changed"
        assert not np.shares_memory(answer, load), f"{name}: the answer is a view of the windows"
        first[name] = answer.copy()
    for name, load in reversed(cases.items()):
        again = _forecast(forecaster, load, name)
        assert (again == first[name]).all(), f"{name}: another answer when asked again"
    after = repr(sorted(getattr(forecaster, "__dict__", {}).items()))
    assert fields == after, "the forecaster keeps state between calls"


def check_forecast_deterministic(forecaster: Forecaster) -> None:
    """Equal windows get equal answers, whatever the global random state, left as it was."""
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        for name, load in forecast_instances().items():
            answers = []
            for seed in (1, 2):
                np.random.seed(seed)  # noqa: NPY002
                random.seed(seed)
                before = _global_random_state()
                answers.append(_forecast(forecaster, load, name))
                assert _global_random_state() == before, (
                    "the global random state was used; make a numpy.random.Generator from a seed"
                )
            assert (answers[0] == answers[1]).all(), f"{name}: two calls give two answers"
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])


def _global_random_state() -> bytes:
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002


def check_forecast_pickles(forecaster: Forecaster) -> None:
    """A pickled and restored forecaster answers like the original."""
    if isinstance(forecaster, types.FunctionType) and "<" in forecaster.__qualname__:
        raise unittest.SkipTest("a function inside another cannot be pickled in Python")
    try:
        restored = pickle.loads(pickle.dumps(forecaster))
    except Exception as error:
        raise AssertionError(f"cannot be pickled: {type(error).__name__}: {error}") from error
    for name, load in forecast_instances().items():
        same = _forecast(forecaster, load, name) == _forecast(restored, load, name)
        assert same.all(), f"{name}: another answer after pickling"


def check_constant_history(forecaster: Forecaster) -> None:
    """Where every window was the same, so is the next one."""
    for windows in (1, 2, 3, 8):
        for seed in (9, 10):
            load = np.repeat(_drifting(1, 3, 12, seed), windows, axis=0)
            answer = _forecast(forecaster, load, f"{windows} equal windows")
            _assert_close(answer, load[-1], load, f"{windows} equal windows")


def check_forecast_scales(forecaster: Forecaster) -> None:
    """Counting tokens in other units gives the same loads in those units."""
    for name, load in forecast_instances().items():
        answer = _forecast(forecaster, load, name)
        for factor in (2.0**-30, 3.0, 2.0**20):
            other = _forecast(forecaster, load * factor, f"{name} x {factor:g}")
            _assert_close(answer, other / factor, load, f"{name} x {factor:g}")


def check_forecast_relabelling(forecaster: Forecaster) -> None:
    """Experts under other ids get the same loads under those ids."""
    for name, load in forecast_instances().items():
        ids = np.random.default_rng(4).permutation(load.shape[2])
        answer = _forecast(forecaster, load, name)
        other = _forecast(forecaster, load[:, :, ids].copy(), f"{name}, relabelled")
        _assert_close(answer[:, ids], other, load, f"{name}, relabelled")


#: All checks by name, in the order they run.
FORECAST_CHECKS: dict[str, Callable[[Forecaster], None]] = {
    check.__name__: check
    for check in (
        check_forecast_valid,
        check_forecast_pure,
        check_forecast_deterministic,
        check_forecast_pickles,
        check_constant_history,
        check_forecast_scales,
        check_forecast_relabelling,
    )
}


def check_forecaster(
    forecaster: str | Forecaster, *, known_failures: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run every check on ``forecaster``.

    Parameters
    ----------
    forecaster
        A registered name or any callable from windows to the next load.
    known_failures
        Name of a check to the reason why it cannot be passed; by default the forecaster's own
        attribute ``known_failures``. A known failure must still fail, so that the list stays true.

    Returns
    -------
    dict
        Name of each check to "passed", "skipped: …" or "known failure: …".

    Raises
    ------
    AssertionError
        Listing every check that failed, or passed although it is listed as a known failure.
    ValueError
        If the name, or a check in ``known_failures``, is unknown.
    """
    from lb import make_forecaster

    candidate: Forecaster = (
        make_forecaster(forecaster) if isinstance(forecaster, str) else forecaster
    )
    known = getattr(candidate, "known_failures", {}) if known_failures is None else known_failures
    unknown = sorted(set(known) - set(FORECAST_CHECKS))
    if unknown:
        raise ValueError(
            f"known_failures names no such check: {unknown}; there are {list(FORECAST_CHECKS)}"
        )
    return outcomes(FORECAST_CHECKS, candidate, "forecaster", known)
