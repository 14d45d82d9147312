"""Mooncake's lines: prefixes, round trips, and what is wrong with a file."""

import gzip
import json

import numpy as np
import pytest

import traces
from tests.traces.formats.test_azure import written
from tests.traces.test_requests import trace
from traces import RequestTrace, formats
from traces.exchange import export_trace, read_requests

FIRST = (
    '{"timestamp": 27482, "input_length": 1100, "output_length": 52, "hash_ids": [46, 47, 48]}\n'
)
SECOND = '{"timestamp": 30535, "input_length": 600, "output_length": 26, "hash_ids": [46, 2366]}\n'


def line(**changes):
    """One request with some keys changed; None takes a key away."""
    request = {**json.loads(FIRST), **changes}
    return json.dumps({key: value for key, value in request.items() if value is not None}) + "\n"


def test_lines_and_their_prefixes(tmp_path):
    """Milliseconds become seconds and stay where they are."""
    path = written(tmp_path, FIRST + "\n" + SECOND)
    assert formats.recognised(path) == "mooncake"
    made = read_requests(path)
    np.testing.assert_array_equal(made.arrival_s, [27.482, 30.535])
    np.testing.assert_array_equal(made.output_tokens, [52, 26])
    np.testing.assert_array_equal(made.prefix(1), [46, 2366])
    assert made.block_tokens == 512


def test_packed_lines(tmp_path):
    """Gzip is told by its bytes."""
    path = written(tmp_path, gzip.compress((FIRST + SECOND).encode()))
    assert formats.recognised(path) == "mooncake"
    assert read_requests(path).num_requests == 2


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_round_trip(tmp_path, name):
    """The recorded trace comes back whole."""
    made = traces.load("mooncake-conv")
    export_trace(made, tmp_path / name, "mooncake")
    assert read_requests(tmp_path / name).content_hash == made.content_hash


def test_what_it_cannot_hold(tmp_path):
    """No prefixes, or blocks of another size."""
    for made in (RequestTrace([0.0], [1], [1]), trace()):
        with pytest.raises(ValueError, match="this layout is of blocks of 512"):
            export_trace(made, tmp_path / "x.jsonl", "mooncake")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; a line is a request"),
        (FIRST[:40], "line 1: no JSON .*the file may be cut short"),
        (FIRST + "[1]\n", "line 2: a list, no object"),
        (line(hash_ids=None), r"line 1: keys \['hash_ids'\] are missing"),
        (line(session=3), r"line 1: keys \[\] are missing and \['session'\] unknown"),
        (SECOND + FIRST, "line 2: timestamp is before the row above"),
        (line(timestamp=-1), "line 1: timestamp is -1; give milliseconds"),
        (line(timestamp="0"), "line 1: timestamp is 0; give milliseconds"),
        (line(timestamp=True), "line 1: timestamp is True; give milliseconds"),
        (line(timestamp=float("nan")), "line 1: timestamp is nan"),
        (line(timestamp=1e300), r"line 1: timestamp is 1e\+300"),
        (line(timestamp=10**400), "line 1: timestamp is 1000"),
        (line(timestamp=2**52), "arrival_s at request 0 is .*outside"),
        (line(input_length=-5), "line 1: input_length is -5, outside 0 <= input_length"),
        (line(input_length=5.5), r"line 1: input_length is 5\.5, outside"),
        (line(output_length=2**31), "line 1: output_length is 2147483648, outside"),
        (line(output_length=float("inf")), "line 1: output_length is inf, outside"),
        (line(hash_ids=7), "line 1: hash_ids is no list of whole numbers"),
        (line(hash_ids=[1, 2.0]), "line 1: hash_ids is no list of whole numbers"),
        (line(hash_ids=[1, True]), "line 1: hash_ids is no list of whole numbers"),
        (line(hash_ids=[1, -2]), "line 1: hash_ids holds an id outside 0 <= id"),
        (line(hash_ids=[2**64]), "line 1: hash_ids holds an id outside 0 <= id"),
        (line(hash_ids=[1, 2, 3, 4]), "line 1: hash_ids has 4 blocks > 3, which hold 1100 tokens"),
        ("[" * 100_000 + "\n", "line 1: no JSON"),
        (FIRST.encode() + b"\xff\n", "somewhere after line 0: no text in UTF-8"),
        (gzip.compress((FIRST * 500).encode())[:-12], "gzip file is damaged or cut short"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    """File, format, line and key are named."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=rf"requests\.txt \(mooncake\): .*{message}"):
        read_requests(path, "mooncake")
