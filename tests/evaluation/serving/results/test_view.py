"""The printed summary has every number with its unit and fits the terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from evaluation.serving.results.view import figures, headline, print_summary, rates, seconds
from traces import RequestTrace


def printed(result, width=100):
    """Return the text that a terminal of this width shows."""
    console = Console(file=io.StringIO(), width=width)
    print_summary(result, console)
    return console.file.getvalue()


def row(text, name):
    """Return the cells of the row that begins with a name."""
    return next(line for line in text.splitlines() if line.startswith(name))[len(name) :].split()


def test_the_tables_hold_the_summary(result):
    """Each latency and each executor has a row."""
    text = printed(result)
    assert row(text, "time to first token") == [
        "3",
        "666.7",
        "ms",
        "500.0",
        "ms",
        "900.0",
        "ms",
        "950.0",
        "ms",
        "990.0",
        "ms",
    ]
    assert row(text, "time per output token")[:3] == ["1", "500.0", "ms"]
    cells = ["0", "0", "1.5", "2", "37.5%", "50.0%", "66.7%", "25.0%", "1.25", "12"]
    assert row(text, "decode 0") == cells
    tables = [line for line in text.splitlines() if line.startswith(("time", "executor", "decode"))]
    assert max(map(len, tables)) <= 100  # sentences are left to the terminal to wrap


def test_the_headline_counts_the_requests(result):
    """The headline has preemptions and a warm-up only if there are any."""
    words = headline(result)
    assert "9.0 s of simulated time in 0.5 s, 4 chips" in words
    assert "3 requests arrived, 2 finished, 1 in flight; 1 were preempted, 301 tokens" in words
    assert "Measured" not in words
    warm = summarise(result.log, result.samples, result.slo, 4, 9.0, warm_up_s=1.0)
    words = headline(dataclasses.replace(result, summary=warm))
    assert words.endswith("Measured: 2 requests, from 1.0 s on.")


def test_rates_name_the_slo(result):
    """One of three requests keeps the SLO; six tokens in 9 s on 4 chips are 0.167."""
    through, good = rates(result)
    assert "0.167 output tokens/s per chip, 0.667 in all; 0.222 requests/s" in through
    assert "requests/s over 2.00 s of arrivals" in good
    assert good.endswith("33.3% of the 3 requests keep TTFT <= 1.00 s and TPOT <= 250.0 ms")
    _, good = rates(dataclasses.replace(result, slo=Slo()))
    assert good.endswith("has no limit")


def test_a_simulation_without_requests_prints_dashes(result):
    """Without requests and samples the tables have dashes."""
    log = RequestLog(RequestTrace([5.0], [10], [10]))
    samples = SampleLog(["only"])
    summary = summarise(log, samples, Slo(), 1, 1.0)
    text = printed(dataclasses.replace(result, log=log, samples=samples, summary=summary))
    assert row(text, "end to end") == ["0", *"–––––"]
    assert row(text, "only") == [*"–––––––––", "0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.0 ms"),
        (2e-5, "20.0 µs"),
        (0.05, "50.0 ms"),
        (1.5, "1.50 s"),
        (1234.5, "1,234 s"),
    ],
)
def test_seconds_have_a_suitable_unit(value, text):
    """Seconds are shown from microseconds to thousands of seconds."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.12345, "0.123"), (12.345, "12.3"), (2400.4, "2,400")]
)
def test_numbers_have_three_significant_figures(value, text):
    """Numbers have three significant figures; larger ones have all digits before the point."""
    assert figures(value) == text
