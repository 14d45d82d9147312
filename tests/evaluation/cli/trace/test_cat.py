"""`podlab trace cat`, as a user types it."""

import traces
from tests.evaluation.cli.trace.calls import assert_usage_error, podlab


def test_cat(folder):
    """Domains one after another make a shift."""
    out = folder / "shift.parquet"
    names = ["dsv2lite-intent", "dsv2lite-summary"]
    result = podlab("cat", *names, out)
    assert result.exit_code == 0, result.output
    wanted = traces.concat([traces.load(name) for name in names])
    assert traces.load(out).content_hash == wanted.content_hash


def test_cat_of_different_models(folder):
    """They do not follow each other."""
    out = folder / "shift.parquet"
    assert_usage_error(podlab("cat", "olmoe-domains", folder / "t.parquet", out), "the first has")
    assert not out.exists()
