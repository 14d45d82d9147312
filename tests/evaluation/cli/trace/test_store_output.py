"""What every command of `podlab trace` that writes a trace checks."""

import pytest

from tests.evaluation.cli.trace.calls import assert_usage_error, podlab


def test_what_is_read_is_not_written(folder):
    """OUT is none of the sources, by whatever path."""
    trace, again = folder / "t.parquet", folder / "x" / ".." / "t.parquet"
    (folder / "x").mkdir()
    before = trace.read_bytes()
    for words in (
        ["cut", trace, again, "--steps", "0:1"],
        ["cat", trace, again],
        ["export", trace, again, "--format", "competition"],
        ["import", trace, again],
    ):
        assert_usage_error(podlab(*words), "is the trace that is read; give another name")
    assert trace.read_bytes() == before
    assert_usage_error(podlab("cat", trace, folder / "no" / "t.parquet"), "there is no folder")


@pytest.mark.parametrize("command", ["cat", "import"])
def test_a_trace_is_a_parquet_file(folder, command):
    """Another ending is an error of usage, before anything is read."""
    out = folder / "t.bin"
    assert_usage_error(podlab(command, folder / "none.parquet", out), "ends in .parquet")
