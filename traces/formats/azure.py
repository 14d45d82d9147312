"""Azure LLM inference traces of 2023 and 2024: CSV, plain or gzip.

The first line is ``TIMESTAMP,ContextTokens,GeneratedTokens``. A time is, in UTC,
``2023-11-16 18:15:46.6805900`` (2023, seven decimals) or ``2024-05-10 00:00:00.009930+00:00``
(2024, six decimals, none on a whole second). Times count from the first, which provenance keeps as
``first_request``. podlab writes the form of 2023, times to 100 ns, from the start of 2024 on;
sessions, domains and prefixes have no place. Layout: Azure/AzurePublicDataset,
AzureLLMInferenceDataset2023.md and AzureLLMInferenceDataset2024.md.
"""

import re
from pathlib import Path

import numpy as np

from traces.formats.request_lines import created, whole
from traces.formats.request_table import header_of, in_order, read_columns
from traces.requests import RequestTrace

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
TIME = re.compile(
    r"((?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(?:Z|\+00:00)?",
    re.ASCII,
)
START = "2024-01-01 00:00:00"
#: Nanoseconds in the last decimal that podlab writes.
TICK_NS = 100
#: Seconds from then to a year that no longer reads as one of ours.
LATEST_S = 75 * 365 * 86_400.0


def recognises(path: Path) -> bool:
    """Whether the first line names the three columns."""
    return set(COLUMNS) <= set(header_of(path))


def read(path: Path) -> RequestTrace:
    """Return the requests."""
    columns = read_columns(path, dict(zip(COLUMNS, (_nanoseconds, whole, whole), strict=True)), {})
    times = columns["TIMESTAMP"]
    in_order(times, columns["line"], "TIMESTAMP")
    start = str(np.datetime64(int(times[0]), "ns")).replace("T", " ")
    return RequestTrace(
        (times - times[0]) / 1e9,
        columns["ContextTokens"],
        columns["GeneratedTokens"],
        provenance={"first_request": start},
    )


def write(trace: RequestTrace, path: Path) -> None:
    """Write arrivals and lengths."""
    if trace.arrival_s[-1] >= LATEST_S:
        raise ValueError(
            f"arrival_s at request {trace.num_requests - 1} is {trace.arrival_s[-1]} >= "
            f"{LATEST_S}, in another century; cut the trace: between(start_s, end_s)"
        )
    ticks = np.rint(trace.arrival_s * (1e9 / TICK_NS)).astype(np.int64) * TICK_NS
    times = np.datetime_as_string((ticks + _nanoseconds(START)).view("datetime64[ns]"), unit="ns")
    tokens = zip(trace.prompt_tokens.tolist(), trace.output_tokens.tolist(), strict=True)
    with created(path) as file:
        file.write(",".join(COLUMNS) + "\n")
        for time, (prompt, output) in zip(times.tolist(), tokens, strict=True):
            file.write(f"{time.replace('T', ' ')[:-2]},{prompt},{output}\n")


def _nanoseconds(text: str) -> int:
    """Return nanoseconds since 1970; the pattern bars what numpy reads besides, as "now"."""
    found = TIME.fullmatch(text)
    try:
        moment = np.datetime64(f"{found[1]}T{found[2]}", "ns") if found else None
    except ValueError:  # the 30th of February
        moment = None
    if moment is None:
        raise ValueError(f"is {text[:40]!r}, no time; give 2023-11-16 18:15:46.6805900, in UTC")
    return int(moment.astype(np.int64))
