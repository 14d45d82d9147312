"""Kinds of faults differ in their keys and random streams."""

from evaluation.serving.faults.checks import COMMON_KEYS
from evaluation.serving.faults.kinds import KINDS


def test_random_streams_differ() -> None:
    """Two kinds of one stream would fail at the same times."""
    streams = [kind.random_stream for kind in KINDS.values() if kind.random_stream is not None]
    assert len(set(streams)) == len(streams)


def test_keys_of_a_kind_are_not_common_ones() -> None:
    """A key is checked for all kinds, or for the kinds that have it."""
    assert not any(kind.keys & COMMON_KEYS for kind in KINDS.values())
