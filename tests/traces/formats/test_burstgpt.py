"""BurstGPT: six columns and eight, round trips, and what is wrong with a file."""

import numpy as np
import pytest

from tests.traces.formats.test_azure import written
from tests.traces.test_requests import trace
from traces import formats
from traces.exchange import export_trace, read_requests

SIX = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
EIGHT = SIX.replace("Timestamp,", "Timestamp,Session ID,Elapsed time,")
ROW = "5,ChatGPT,472,18,490,Conversation log\n"


def test_files_one_and_two(tmp_path):
    """Whole seconds, no sessions; a failure stays."""
    path = written(tmp_path, SIX + ROW + "45,GPT-4,10,0,10,API log\n45,ChatGPT,1,2,3,API log\n")
    assert formats.recognised(path) == "burstgpt"
    made = read_requests(path)
    np.testing.assert_array_equal(made.arrival_s, [0.0, 40.0, 40.0])
    np.testing.assert_array_equal(made.output_tokens, [18, 0, 2])
    np.testing.assert_array_equal(made.domain, [0, 1, 0])
    assert made.domain_names == ("ChatGPT", "GPT-4")
    assert made.session is None
    assert made.provenance["first_request"] == "5.0"
    assert made.served().num_requests == 2


def test_file_three(tmp_path):
    """Sessions are numbered as they come; rows of the API have none."""
    text = (
        EIGHT
        + "19440110.0,1722ac82-0a46,43,GPT-4,906,446,1352,Conversation log\n"
        + "19440161.5,,2.5,ChatGPT,36,29,65,API log\n"
        + "19440192.0,1722ac82-0a46,9,GPT-4,1400,10,1410,Conversation log\n"
    )
    path = written(tmp_path, text)
    assert formats.recognised(path) == "burstgpt"
    made = read_requests(path)
    np.testing.assert_array_equal(made.arrival_s, [0.0, 51.5, 82.0])
    np.testing.assert_array_equal(made.session, [0, -1, 0])


def test_round_trip(tmp_path):
    """Times, tokens, sessions by order and domains by name; prefixes have no place."""
    export_trace(trace(), tmp_path / "x.csv", "burstgpt")
    back = read_requests(tmp_path / "x.csv")
    np.testing.assert_array_equal(back.arrival_s, trace().arrival_s)
    np.testing.assert_array_equal(back.prompt_tokens, trace().prompt_tokens)
    np.testing.assert_array_equal(back.output_tokens, trace().output_tokens)
    np.testing.assert_array_equal(back.session, [0, -1, 0])
    assert [back.domain_names[domain] for domain in back.domain] == ["chat", "code", "chat"]
    assert back.prefix_hashes is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; its first line names Timestamp"),
        (SIX, "a first line and no requests"),
        (SIX.replace(",Model", ""), r"line 1: .*\['Model'\] are missing"),
        (SIX.replace("Model", "Model,Region"), r"\['Region'\] are unknown"),
        (SIX + ROW + "4,GPT-4,1,1,2,API log\n", "line 3: Timestamp is before the row above"),
        (SIX + "-5,GPT-4,1,1,2,API log\n", "line 2: Timestamp is '-5', no time"),
        (SIX + "nan,GPT-4,1,1,2,API log\n", "line 2: Timestamp is 'nan', no time"),
        (SIX + "1e999,GPT-4,1,1,2,API log\n", "line 2: Timestamp is '1e999', no time"),
        (SIX + "1e12,GPT-4,1,1,2,API log\n", r"line 2: Timestamp is 1000000000000\.0 >= 2\*\*33"),
        (SIX + "5,,1,1,2,API log\n", "line 2: Model is empty; name one"),
        (SIX + "5,GPT-4,-1,1,0,API log\n", "line 2: Request tokens is '-1'"),
        (SIX + "5,GPT-4,1,1,3,API log\n", "line 2: Total tokens is 3, the sum of .* is 2"),
        (SIX + "5,GPT-4,1,1,2\n", "line 2 has 5 cells for 6 columns"),
        (SIX + "5,GPT-4,3000000000,1,3000000001,API log\n", "prompt_tokens at request 0 is"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    """File, format, line and column are named."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=rf"requests\.txt \(burstgpt\): .*{message}"):
        read_requests(path, "burstgpt")
