"""RequestTrace: what it accepts, what it refuses and names, and what it derives."""

import pickle

import numpy as np
import pytest

from traces import RequestTrace

RAGGED = {"prefix_hashes": [0, 1, 0, 2, 3], "prefix_blocks": [2, 0, 3], "block_tokens": 50}


def trace(**changes):
    """Three requests with everything on them."""
    fields = {
        "arrival_s": [0.0, 0.5, 2.0],
        "prompt_tokens": [100, 7, 120],
        "output_tokens": [12, 0, 40],
        "session": [4, -1, 4],
        "domain": [1, 0, 1],
        "domain_names": ("code", "chat"),
        **RAGGED,
        "provenance": {"origin": "test"},
    }
    return RequestTrace(**{**fields, **changes})


def test_columns_are_kept_as_said():
    """Types are fixed and nothing can be written."""
    made = trace()
    kinds = {name: str(column.dtype) for name, column in made.columns.items()}
    assert kinds == {
        "arrival_s": "float64",
        "prompt_tokens": "int64",
        "output_tokens": "int64",
        "session": "int64",
        "domain": "int32",
        "prefix_blocks": "int64",
        "prefix_hashes": "int64",
    }
    for column in made.columns.values():
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_rate_and_duration():
    """Two gaps in two seconds."""
    assert trace().duration_s == 2.0
    assert trace().rate == 1.0
    with pytest.raises(ValueError, match="2 requests arrive at once"):
        _ = RequestTrace([1.0, 1.0], [1, 1], [1, 1]).rate


def test_repr_says_what_there_is():
    """Optional columns are named where present."""
    assert repr(trace()) == (
        "RequestTrace(3 requests in 2 s: 75.7 prompt, 17.3 output tokens on average, "
        "1 sessions, domains code, chat, prefix blocks of 50)"
    )
    assert repr(RequestTrace([0], [1], [2])) == (
        "RequestTrace(1 requests in 0 s: 1.0 prompt, 2.0 output tokens on average)"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"arrival_s": [0.0, 2.0, 1.0]}, r"falls from 2\.0 to 1\.0 at request 2; sort"),
        ({"arrival_s": [0.0, np.nan, 2.0]}, "arrival_s at request 1 is nan, outside 0 <="),
        ({"arrival_s": [-1.0, 0.0, 2.0]}, r"arrival_s at request 0 is -1\.0, outside 0 <="),
        ({"arrival_s": [0.0, 1.0, 2.0**33]}, "arrival_s at request 2 is .* < 2"),
        ({"arrival_s": [0.0, 1.0, np.inf]}, "arrival_s at request 2 is inf"),
        ({"arrival_s": []}, "arrival_s is empty; a trace has requests"),
        ({"arrival_s": [[0.0]]}, r"arrival_s has shape \(1, 1\)"),
        ({"arrival_s": [[0.0], [1.0, 2.0]]}, "arrival_s is ragged"),
        ({"arrival_s": ["0", "1", "2"]}, "arrival_s has dtype <U1; give seconds as numbers"),
        ({"prompt_tokens": [100, 7]}, "prompt_tokens has 2 entries for 3 requests"),
        ({"prompt_tokens": [100, -7, 120]}, "prompt_tokens at request 1 is -7, outside 0 <="),
        ({"output_tokens": [1, 2, 2**31]}, "output_tokens at request 2 is 2147483648"),
        ({"output_tokens": [1, 2.5, 3]}, r"output_tokens at request 1 is 2\.5; give integers"),
        ({"output_tokens": [1, np.nan, 3]}, "output_tokens at request 1 is nan"),
        ({"session": [0, -2, 0]}, "session at request 1 is -2, outside -1 <= session"),
        ({"session": [0, 0]}, "session has 2 entries for 3 requests"),
        ({"domain": [0, 2, 0]}, "domain at request 1 is 2, outside 0 <= domain < 2"),
        ({"domain": None}, "domain is not given and there are 2 domain_names"),
        ({"domain_names": ()}, "domain is given and there are 0 domain_names"),
        ({"domain_names": ("a", "a")}, r"domain_names = \('a', 'a'\); give distinct"),
        ({"domain_names": ("a", 1)}, "give distinct non-empty names"),
        ({"prefix_blocks": None}, "go together; give all or none"),
        ({"block_tokens": 0}, "block_tokens = 0 is outside 1 <="),
        ({"block_tokens": 1.5}, r"block_tokens = 1\.5 is not an integer"),
        ({"prefix_blocks": [2, 0, 2]}, "add up to 4 for 5 prefix_hashes; give one hash a block"),
        ({"prefix_blocks": [3, 0, 2]}, "request 0 has 3 blocks of 50 tokens > 2, which hold its"),
        ({"prefix_hashes": [0, 1, 0, -2, 3]}, "prefix_hashes at block 3 is -2"),
        ({"provenance": {"a": 1}}, "provenance 'a': 1 is not text"),
    ],
)
def test_wrong_values_are_named(changes, text):
    """The column, the request, what is wrong and how to fix it."""
    with pytest.raises(ValueError, match=text):
        trace(**changes)


def test_a_cut_keeps_prefixes_with_their_requests():
    """The blocks of what stays, and no others."""
    made = trace()
    np.testing.assert_array_equal(made.prefix(0), [0, 1])
    np.testing.assert_array_equal(made.prefix(1), [])
    np.testing.assert_array_equal(made.prefix(2), [0, 2, 3])
    tail = made.slice(1)
    np.testing.assert_array_equal(tail.prefix(1), [0, 2, 3])
    np.testing.assert_array_equal(tail.arrival_s, [0.5, 2.0])
    np.testing.assert_array_equal(made.slice(0, 2).prefix_hashes, [0, 1])
    assert made.slice(-1).num_requests == 1
    with pytest.raises(ValueError, match="no prefix_hashes"):
        RequestTrace([0], [1], [2]).prefix(0)


def test_empty_cuts_are_refused():
    """A trace has requests."""
    with pytest.raises(ValueError, match="arrival_s is empty"):
        trace().slice(3)


def test_between_counts_from_its_start():
    """The start is included, the end is not."""
    part = trace().between(0.5, 2.0)
    np.testing.assert_array_equal(part.arrival_s, [0.0])
    assert part.prompt_tokens[0] == 7
    with pytest.raises(ValueError, match="no request arrives in 3 <= arrival_s < 4"):
        trace().between(3, 4)


def test_served_leaves_failures_out():
    """The request without an answer goes."""
    np.testing.assert_array_equal(trace().served().prompt_tokens, [100, 120])


def test_rescale_changes_times_alone():
    """Twice the rate is half the time."""
    np.testing.assert_array_equal(trace().rescale(2.0).arrival_s, [0.0, 0.25, 1.0])
    assert trace().rescale(2.0).rate == 2.0
    for factor in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="outside 0 < factor < infinity"):
            trace().rescale(factor)


def test_in_domain_names_all():
    """One domain instead of what there was."""
    assert trace().in_domain("law").domain_names == ("law",)


def test_hash_covers_contents_and_not_provenance():
    """Every column counts, minus zero is zero."""
    made = trace()
    assert made.content_hash == trace(provenance=None).content_hash
    assert made.content_hash == trace(arrival_s=[-0.0, 0.5, 2.0]).content_hash
    others = [
        trace(arrival_s=[0.0, 0.5, 2.5]),
        trace(output_tokens=[12, 1, 40]),
        trace(session=[4, -1, 5]),
        trace(domain_names=("code", "talk")),
        trace(block_tokens=51),
        trace(prefix_hashes=[0, 1, 0, 2, 4]),
        trace(prefix_hashes=None, prefix_blocks=None, block_tokens=None),
    ]
    assert len({made.content_hash, *(other.content_hash for other in others)}) == 8


def test_pickling_keeps_everything():
    """Contents, provenance and the read-only flag."""
    copy = pickle.loads(pickle.dumps(trace()))
    assert copy.content_hash == trace().content_hash
    assert copy.provenance == {"origin": "test"}
    assert not copy.arrival_s.flags.writeable
