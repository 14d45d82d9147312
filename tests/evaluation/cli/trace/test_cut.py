"""`podlab trace cut`, as a user types it."""

import pytest

import traces
from tests.evaluation.cli.trace.calls import COUNTS, assert_usage_error, podlab


@pytest.mark.parametrize(
    ("options", "steps", "layers"),
    [
        (["--steps", "3:7"], slice(3, 7), [0, 1, 2]),
        (["--steps", ":4", "--layers", "2,0"], slice(0, 4), [2, 0]),
        (["--steps", "10:"], slice(10, 12), [0, 1, 2]),
        (["--layers", "1-2"], slice(0, 12), [1, 2]),
    ],
)
def test_cut(folder, options, steps, layers):
    """Steps and layers, from the first up to before the last."""
    out = folder / "part.parquet"
    result = podlab("cut", folder / "t.parquet", out, *options)
    assert result.exit_code == 0, result.output
    assert (traces.load(out).counts == COUNTS[steps][:, layers]).all()


def test_cut_of_tokens(folder):
    """A bundled trace by its name."""
    out = folder / "part.parquet"
    result = podlab("cut", "dsv2lite-intent", out, "--tokens", "100:356")
    assert result.exit_code == 0, result.output
    assert "256 tokens" in result.stdout
    assert (traces.load(out).experts == traces.load("dsv2lite-intent").experts[100:356]).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "nothing to cut"),
        (["--steps", "3"], "--steps 3: give first:last"),
        (["--steps", "a:b"], "give first:last"),
        (["--steps", "3:13"], "break 0 <= first < last <= 12"),
        (["--layers", "3"], "layer 3 breaks"),
        (["--layers", "0-"], "give numbers and ranges"),
        (["--layers", "2-1"], "name at least one"),
        (["--tokens", "0:4"], "cut it by steps"),
    ],
)
def test_wrong_cuts(folder, options, text):
    """What is not there is refused, and nothing is left behind."""
    assert_usage_error(podlab("cut", folder / "t.parquet", folder / "part.parquet", *options), text)
    assert not list(folder.glob("*part*"))
