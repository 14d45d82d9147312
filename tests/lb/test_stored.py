"""Learned forecasters as files: they come back the same, and nothing else comes in."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import Lasso, Ridge

from lb.forecasters.learned import LearnedForecaster
from lb.forecasters.stored import load as load_forecaster
from lb.forecasters.stored import save as save_forecaster
from lb.solvers.learned import Learned, load_learned

PAST = np.random.default_rng(0).lognormal(size=(6, 3, 32))


@pytest.fixture
def content(tmp_path):
    """What a saved file holds, to be spoilt."""
    save_forecaster(LearnedForecaster(memory=4, penalty=2.0).fit(PAST), tmp_path / "good")
    return skops.io.load(tmp_path / "good")


def test_what_is_saved_comes_back(tmp_path):
    """Forecaster and solver answer as before, parameters included; nothing partial is left."""
    forecaster = LearnedForecaster(memory=4, penalty=2.0).fit(PAST)
    save_forecaster(forecaster, tmp_path / "one.skops")
    found = load_forecaster(tmp_path / "one.skops")
    assert (found.memory, found.penalty) == (4, 2.0)
    for before, after in zip(forecaster.forecast(PAST), found.forecast(PAST), strict=True):
        np.testing.assert_array_equal(before, after)
    Learned(forecaster=forecaster).save(tmp_path / "one.skops")
    solver = load_learned(tmp_path / "one.skops", planner="eplb")
    assert solver.planner == "eplb"
    np.testing.assert_array_equal(solver.forecaster(PAST), forecaster(PAST))
    assert [path.name for path in tmp_path.iterdir()] == ["one.skops"]


def test_an_unfitted_one_cannot_be_saved(tmp_path):
    """There is nothing to save, and the message says how to fix it."""
    with pytest.raises(ValueError, match="not fitted; save what fit"):
        save_forecaster(LearnedForecaster(), tmp_path / "none")
    assert not list(tmp_path.iterdir())


def test_untrusted_types_are_refused(tmp_path, content):
    """A file that would bring in a callable of its maker's choice is refused by its name."""
    content["change"] = functools.partial(print, "hello")
    skops.io.dump(content, tmp_path / "bad")
    with pytest.raises(ValueError, match=r"holds .*print.*, which no saved forecaster does"):
        load_forecaster(tmp_path / "bad")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "podlab learned forecaster 0"}, "no 'podlab learned forecaster 1'"),
        ({"change": Lasso()}, "'change' is no ridge regression on 2 features"),
        ({"change": Ridge()}, "'change' is no ridge regression on 2 features"),
        ({"spread": Ridge().fit(np.ones((4, 2)), np.ones(4))}, "'spread' is no ridge"),
        (
            {"change": Ridge().fit(np.ones((4, 2)), np.ones((4, 3)))},
            "has not 3 finite coefficients",
        ),
        ({"widest": float("nan")}, "widest = nan is no number"),
        ({"memory": "many"}, "memory = 'many' is no number"),
    ],
)
def test_wrong_contents_are_refused(tmp_path, content, changes, message):
    """Trusted types in the wrong place are named."""
    skops.io.dump(content | changes, tmp_path / "bad")
    with pytest.raises(ValueError, match=message):
        load_forecaster(tmp_path / "bad")


def test_other_files_are_refused(tmp_path):
    """Something else, a file cut short, a list, or nothing."""
    save_forecaster(LearnedForecaster().fit(PAST), tmp_path / "good")
    (tmp_path / "text").write_text("memory = 8")
    (tmp_path / "short").write_bytes((tmp_path / "good").read_bytes()[:200])
    for name in ("text", "short"):
        with pytest.raises(ValueError, match="no saved forecaster, or damaged"):
            load_forecaster(tmp_path / name)
    skops.io.dump([1, 2], tmp_path / "list")
    with pytest.raises(ValueError, match="no 'podlab learned forecaster 1'"):
        load_forecaster(tmp_path / "list")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_forecaster(tmp_path / "nothing")


def test_without_skops_the_extra_is_named():
    """Saving and loading say what to install."""
    code = (
        "import sys; sys.modules['skops'] = None; sys.modules['skops.io'] = None\n"
        "from lb.solvers.learned import load_learned\n"
        "try:\n    load_learned('any')\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "saving and loading needs skops: pip install 'podlab[learn]'"
