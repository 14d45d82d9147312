"""`podlab trace export`, as a user types it."""

import numpy as np

import traces
from tests.evaluation.cli.trace.calls import COUNTS, assert_usage_error, podlab


def test_export(folder):
    """And back: the file holds the counts."""
    out = folder / "back.npy"
    result = podlab("export", folder / "t.parquet", out, "--format", "competition")
    assert result.exit_code == 0, result.output
    assert (np.load(out) == COUNTS).all()


def test_export_of_tokens_in_no_steps(folder):
    """--step-tokens splits them into steps; without it, the error says that it is needed."""
    out = folder / "back.npy"
    asked = ["export", "dsv2lite-intent", out, "--format", "competition"]
    result = podlab(*asked, "--step-tokens", 512)
    assert result.exit_code == 0, result.output
    wanted = traces.load("dsv2lite-intent").split(512).counts().counts
    assert (np.load(out) == wanted).all()
    out.unlink()
    assert_usage_error(podlab(*asked), "not in steps")
    counts = podlab("export", "olmoe-domains", out, "--format", "competition", "--step-tokens", 9)
    assert_usage_error(counts, "--step-tokens 9 is for tokens that are in no steps")
    assert not out.exists()
