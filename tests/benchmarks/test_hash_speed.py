"""Speed of hashing the code that scores depend on, beside reading it: every run does it once."""

import pytest

from evaluation.records import source_hash


@pytest.mark.benchmark(group="source hash")
def test_yardstick_read(benchmark):
    """The yardstick: reading the same files, and more."""
    benchmark(source_hash.code_hash.__wrapped__)


@pytest.mark.benchmark(group="source hash")
def test_score_hash(benchmark):
    """Reading, leaving out comments and docstrings, and hashing."""
    benchmark(source_hash.score_hash.__wrapped__)
