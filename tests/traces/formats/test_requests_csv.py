"""The plain table: columns in any order, exact round trips, and what is wrong with a file."""

import numpy as np
import pytest

from tests.traces.formats.test_azure import written
from tests.traces.test_requests import trace
from traces import RequestTrace, formats
from traces.exchange import export_trace, read_requests

HEADER = "arrival_s,prompt_tokens,output_tokens\n"
ALL = "arrival_s,prompt_tokens,output_tokens,session,domain\n"


def test_columns_in_any_order(tmp_path):
    """They are found by name; spaces around cells do not count."""
    text = (
        "domain, prompt_tokens,session,arrival_s,output_tokens\nlaw, 7 ,12,1.5e1,3\nlaw,8,,16,4\n"
    )
    path = written(tmp_path, text)
    assert formats.recognised(path) == "requests-csv"
    made = read_requests(path)
    np.testing.assert_array_equal(made.arrival_s, [15.0, 16.0])
    np.testing.assert_array_equal(made.prompt_tokens, [7, 8])
    np.testing.assert_array_equal(made.session, [12, -1])
    assert made.domain_names == ("law",)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_round_trip_is_exact(tmp_path, name):
    """All but prefixes, to the last bit of a time."""
    made = trace(arrival_s=[0.1, 1 / 3, 8e9 / 7])
    export_trace(made, tmp_path / name, "requests-csv")
    back = read_requests(tmp_path / name)
    np.testing.assert_array_equal(back.arrival_s, made.arrival_s)
    np.testing.assert_array_equal(back.prompt_tokens, made.prompt_tokens)
    np.testing.assert_array_equal(back.output_tokens, made.output_tokens)
    np.testing.assert_array_equal(back.session, made.session)
    assert [back.domain_names[domain] for domain in back.domain] == ["chat", "code", "chat"]


def test_names_with_commas_and_quotes(tmp_path):
    """They are quoted and come back."""
    made = RequestTrace([0.0], [1], [1]).in_domain('law, "civil"\nand more')
    export_trace(made, tmp_path / "x.csv", "requests-csv")
    assert read_requests(tmp_path / "x.csv").content_hash == made.content_hash


def test_equal_contents_are_equal_files(tmp_path):
    """A packed file has neither its time nor its name in it."""
    for name in ("x.csv.gz", "y.csv.gz"):
        export_trace(trace(), tmp_path / name, "requests-csv")
    one, two = (path.read_bytes() for path in tmp_path.iterdir())
    assert one == two


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; its first line names arrival_s"),
        ("\n\n", "the file is empty"),
        (HEADER, "a first line and no requests"),
        ("arrival_s,prompt_tokens\n", r"\['output_tokens'\] are missing"),
        (f"{HEADER[:-1]},sesion\n", r"\['sesion'\] are unknown or double; .* perhaps session"),
        (HEADER + "1,1,1\n0.5,1,1\n", "line 3: arrival_s is before the row above"),
        (HEADER + "-1,1,1\n", "line 2: arrival_s is '-1', no time"),
        (HEADER + "NaN,1,1\n", "line 2: arrival_s is 'NaN', no time"),
        (HEADER + "1_0,1,1\n", "line 2: arrival_s is '1_0', no time"),
        (HEADER + "1e300,1,1\n", r"arrival_s at request 0 is 1e\+300, outside"),
        (HEADER + "0,1,-1\n", "line 2: output_tokens is '-1'"),
        (HEADER + "0,1,٣\n", "line 2: output_tokens is '٣'"),
        (HEADER + "0,1\n", "line 2 has 2 cells for 3 columns"),
        (ALL + "0,1,1,x,law\n", "line 2: session is 'x', no whole number"),
        (ALL + "0,1,1,1,\n", "line 2: domain is empty; name one"),
        (ALL + "0,1,1,9223372036854775807,law\n", "session at request 0 is"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    """File, format, line and column are named."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=rf"requests\.txt \(requests-csv\): .*{message}"):
        read_requests(path, "requests-csv")
