"""Calls of `podlab trace` for the tests of its commands."""

import numpy as np
from typer.testing import CliRunner

from evaluation.cli.app import app

#: Counts of 12 steps, 3 layers and 8 experts.
COUNTS = np.random.default_rng(0).integers(0, 50, (12, 3, 8))


def podlab(*words):
    """Run `podlab trace`; return the result."""
    return CliRunner().invoke(app, ["trace", *map(str, words)])


def assert_usage_error(result, text):
    """Assert exit code 2, and one line on standard error that contains ``text``."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert text in line
