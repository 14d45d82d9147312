"""Columns of suites that simulate serving."""

from evaluation.leaderboard.column import Column

#: Columns of every suite that simulates serving, of recoveries too.
SERVED = (
    Column(
        "goodput_ratio",
        "goodput ×\nreference",
        "Goodput ÷ that of the stage's reference on the same requests, geometric mean",
        within_variant=True,
    ),
    Column(
        "interval",
        "\n95 %",
        "Interval of the score that ranks, from repetitions with other seeds; ranks come from "
        "paired differences",
        "{:.3f} to {:.3f}",
        better=0,
    ),
    Column(
        "scenarios",
        "\nscenarios",
        "Scenarios on which the stage is ranked",
        "{:.0f}",
        better=0,
        scenarios="several",
    ),
    Column(
        "goodput",
        "goodput\ntok/s/chip",
        "Output tokens of requests that keep the SLO, a second of arrivals and chip",
        "{:.1f}",
        scenarios="one",
    ),
    Column("share", "keep the\nSLO", "Share of the requests that keep the SLO", "{:.1%}"),
    Column(
        "ttft_p50_s",
        "TTFT ms\np50",
        "Time to first token, median",
        "{:.0f}",
        factor=1e3,
        better=-1,
        hide=2,
        scenarios="one",
    ),
    Column(
        "ttft_p99_s",
        "TTFT ms\np99",
        "Time to first token, 99th percentile",
        "{:.0f}",
        factor=1e3,
        better=-1,
        hide=1,
        scenarios="one",
    ),
)
COLUMNS = (
    *SERVED,
    Column(
        "tpot_p50_s",
        "TPOT ms\np50",
        "Time per output token, median",
        "{:.1f}",
        factor=1e3,
        better=-1,
        hide=4,
        scenarios="one",
    ),
    Column(
        "tpot_p99_s",
        "TPOT ms\np99",
        "Time per output token, 99th percentile",
        "{:.1f}",
        factor=1e3,
        better=-1,
        hide=3,
        scenarios="one",
    ),
    Column(
        "dp_imbalance",
        "DP load\nmax/mean",
        "Load of the heaviest DP group ÷ mean",
        "{:.2f}",
        better=-1,
        hide=5,
    ),
    Column(
        "barrier_idle",
        "barrier\nidle",
        "Share of the time that groups wait for the slowest",
        "{:.1%}",
        better=-1,
        hide=6,
    ),
)
