"""Azure's traces: both forms of time, round trips, and what is wrong with a file."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.traces.test_requests import trace
from traces import formats
from traces.exchange import export_trace, read_requests

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
YEAR_2023 = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
    "2023-11-16 18:15:46.6805900,374,44\r\n"
    "2023-11-16 18:15:50.9951690,396,109\r\n"
    "2023-11-16 18:15:51.2224670,879,55"
)
YEAR_2024 = (
    HEADER
    + "2024-05-10 00:00:00.009930+00:00,2162,5\n"
    + "2024-05-10 00:00:01+00:00,2399,6\n"
    + "2024-05-11 00:00:01.000001+00:00,76,15\n"
)


def written(folder, text):
    """Write a file whose name says nothing."""
    path = Path(folder) / "requests.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_form_of_2023(tmp_path):
    """Seven decimals, Windows line ends, no end of the last line."""
    path = written(tmp_path, YEAR_2023)
    assert formats.recognised(path) == "azure"
    made = read_requests(path)
    np.testing.assert_allclose(made.arrival_s, [0.0, 4.314579, 4.541877], atol=1e-9)
    np.testing.assert_array_equal(made.prompt_tokens, [374, 396, 879])
    np.testing.assert_array_equal(made.output_tokens, [44, 109, 55])
    assert made.provenance == {
        "origin": "requests.txt, read as azure",
        "first_request": "2023-11-16 18:15:46.680590000",
    }


def test_the_form_of_2024(tmp_path):
    """Six decimals or none, and the offset of UTC."""
    made = read_requests(written(tmp_path, YEAR_2024))
    np.testing.assert_allclose(made.arrival_s, [0.0, 0.99007, 86400.990071], atol=1e-9)


def test_packed_and_marked_files(tmp_path):
    """Gzip is told by its bytes; a byte order mark is passed over."""
    plain = read_requests(written(tmp_path, YEAR_2024))
    for content in (gzip.compress(YEAR_2024.encode()), b"\xef\xbb\xbf" + YEAR_2024.encode()):
        path = written(tmp_path, content)
        assert formats.recognised(path) == "azure"
        assert read_requests(path).content_hash == plain.content_hash


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_round_trip(tmp_path, name):
    """Times come back to 100 ns, tokens as they are; the rest has no place."""
    export_trace(trace(), tmp_path / name, "azure")
    back = read_requests(tmp_path / name)
    np.testing.assert_array_equal(back.arrival_s, trace().arrival_s)
    np.testing.assert_array_equal(back.prompt_tokens, trace().prompt_tokens)
    assert list(back.columns) == ["arrival_s", "prompt_tokens", "output_tokens"]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_times_of_another_century_are_not_written(tmp_path):
    """They would not read back."""
    late = trace(arrival_s=[0.0, 1.0, 3e9])
    with pytest.raises(ValueError, match=r"at request 2 is 3000000000\.0 >= .*between"):
        export_trace(late, tmp_path / "x.csv", "azure")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; its first line names TIMESTAMP"),
        (HEADER, "a first line and no requests"),
        ("TIMESTAMP,ContextTokens\n1,2\n", r"line 1: .*\['GeneratedTokens'\] are missing"),
        (HEADER.replace("Con", "con"), r"\['ContextTokens'\] are missing"),
        (f"{HEADER[:-1]},NumImages\n", r"\['NumImages'\] are unknown or double"),
        (f"{HEADER[:-1]},TIMESTAMP\n", "are unknown or double"),
        (YEAR_2024 + "2024-05-10 00:00:00+00:00,1,1\n", "line 5: TIMESTAMP is before the row"),
        (
            HEADER + "2024-05-10 00:00:00+02:00,1,1\n",
            r"line 2: TIMESTAMP is '2024-05-10 00:00:00\+02",
        ),
        (HEADER + "now,1,1\n", "line 2: TIMESTAMP is 'now', no time"),
        (HEADER + "NaT,1,1\n", "TIMESTAMP is 'NaT', no time"),
        (HEADER + "2024-02-30 00:00:00,1,1\n", "TIMESTAMP is '2024-02-30 00:00:00', no time"),
        (HEADER + "9999-01-01 00:00:00,1,1\n", "TIMESTAMP is '9999"),
        (HEADER + "2024-05-10 00:00:00,-1,1\n", "line 2: ContextTokens is '-1', no whole number"),
        (HEADER + "2024-05-10 00:00:00,1,nan\n", "line 2: GeneratedTokens is 'nan'"),
        (HEADER + "2024-05-10 00:00:00,1.5,1\n", r"ContextTokens is '1\.5'"),
        (HEADER + "2024-05-10 00:00:00,,1\n", "line 2: ContextTokens is ''"),
        (HEADER + "2024-05-10 00:00:00,9999999999999999999,1\n", "line 2: .* too large"),
        (HEADER + "2024-05-10 00:00:00,9999999999,1\n", "prompt_tokens at request 0 is 9999999999"),
        (HEADER + "2024-05-10 00:00:00," + "9" * 400 + ",1\n", "ContextTokens is '99999"),
        (HEADER + "2024-05-10 00:00:00,1\n", "line 2 has 2 cells for 3 columns; the file may be"),
        (HEADER + "\n2024-05-10 00:00:00,1,1,1\n", "line 3 has 4 cells for 3 columns"),
        (HEADER + '"2024-05-10 00:00:00,1,1\n', "line 2: .*give plain CSV"),
        (HEADER.encode() + b"\xff\xfe", "no text in UTF-8"),
        (HEADER + "2024-05-10\0,1,1\n", "line 2 has a zero byte"),
        (gzip.compress(YEAR_2024.encode())[:-9], "gzip file is damaged or cut short"),
        (gzip.compress(YEAR_2024.encode())[:-4] + b"abcd", "gzip file is damaged or cut short"),
        (b"\x1f\x8b" + b"nonsense", "gzip file is damaged or cut short"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    """File, format, line and column are named."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=rf"requests\.txt \(azure\): .*{message}"):
        read_requests(path, "azure")


def test_a_line_without_end_is_not_read_whole(tmp_path):
    """Memory stays bounded whatever the file."""
    path = written(tmp_path, HEADER.encode() + b"1" * (5 * 2**20))
    with pytest.raises(ValueError, match="line 2 is longer than 4194304 characters"):
        read_requests(path, "azure")
