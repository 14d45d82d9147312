"""The checks of forecasters are checked: deliberately broken ones must fail the right one."""

import numpy as np
import pytest

import lb
import lb.testing
from lb.testing import FORECAST_CHECKS

LAST = lb.make_forecaster("last")


def forgets_an_axis(load):
    """Return one layer too few."""
    return load[-1, 1:].copy()


def returns_a_list(load):
    """Forget the type."""
    return load[-1].tolist()


def goes_negative(load):
    """Follow the last step without a floor."""
    return 2.0 * load[-1] - load[0]


def divides_by_nothing(load):
    """Answer with shares, of an idle layer too."""
    with np.errstate(invalid="ignore"):
        return load[-1] / load[-1].sum(axis=1, keepdims=True)


def needs_two_windows(load):
    """Refuse a short history."""
    return np.maximum(load[-2], load[-1])


def returns_a_view(load):
    """Hand out the caller's own array."""
    return load[-1]


def changes_its_input(load):
    """Take the windows' mean off in place."""
    answer = LAST(load)
    load -= load
    return answer


def uses_global_randomness(load):
    """Draw from the global generator."""
    return LAST(load) * np.random.random()  # noqa: NPY002


class Counts:
    """Answer by the number of the call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, load):
        """Count."""
        self.calls += 1
        return LAST(load) * self.calls


class CannotTravel:
    """Hold what cannot be pickled."""

    def __init__(self):
        self.answer = lambda load: LAST(load)

    def __call__(self, load):
        """Ask what it holds."""
        return self.answer(load)


def shrinks_always(load):
    """Go a tenth of the way to the mean, even if nothing moves."""
    return 0.9 * load[-1] + 0.1 * load[-1].mean(axis=1, keepdims=True)


def adds_a_token(load):
    """Smooth by one token, in whatever unit."""
    return LAST(load) + 1.0


def knows_expert_ids(load):
    """Expect more of the first expert."""
    answer = LAST(load)
    answer[:, 0] *= 2
    return answer


BROKEN = [
    (forgets_an_axis, "check_forecast_valid"),
    (returns_a_list, "check_forecast_valid"),
    (goes_negative, "check_forecast_valid"),
    (divides_by_nothing, "check_forecast_valid"),
    (needs_two_windows, "check_forecast_valid"),
    (returns_a_view, "check_forecast_pure"),
    (changes_its_input, "check_forecast_pure"),
    (Counts(), "check_forecast_pure"),
    (uses_global_randomness, "check_forecast_deterministic"),
    (CannotTravel(), "check_forecast_pickles"),
    (shrinks_always, "check_constant_history"),
    (adds_a_token, "check_forecast_scales"),
    (knows_expert_ids, "check_forecast_relabelling"),
]


@pytest.mark.parametrize(("forecaster", "check"), BROKEN)
def test_broken_forecasters_fail(forecaster, check):
    """Each breaks the claim that it was made to break."""
    with pytest.raises(AssertionError):
        FORECAST_CHECKS[check](forecaster)
    with pytest.raises(AssertionError, match=f"does not conform:(.|\n)*{check} failed"):
        lb.testing.check_forecaster(forecaster)


def test_every_check_catches_something():
    """No check is without a forecaster that fails it."""
    assert {check for _, check in BROKEN} == set(FORECAST_CHECKS)


def test_a_good_one_passes():
    """Every claim holds of `last`, by name and in person; a function in a function is skipped."""
    assert set(lb.testing.check_forecaster("last").values()) == {"passed"}

    def inner(load):
        return LAST(load)

    outcome = lb.testing.check_forecaster(inner)
    assert outcome["check_forecast_pickles"].startswith("skipped")


def test_known_failures_are_strict():
    """A named failure is accepted while it fails, and only then; its check must exist."""
    known = {"check_constant_history": "shrinks by design"}
    outcome = lb.testing.check_forecaster(shrinks_always, known_failures=known)
    assert outcome["check_constant_history"] == "known failure: shrinks by design"
    with pytest.raises(AssertionError, match="it passed, although listed"):
        lb.testing.check_forecaster("last", known_failures=known)
    with pytest.raises(ValueError, match="no such check"):
        lb.testing.check_forecaster("last", known_failures={"check_all": "why"})
