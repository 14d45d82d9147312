"""The plain table of requests: CSV, plain or gzip, columns in any order.

The first line is ``arrival_s,prompt_tokens,output_tokens`` and perhaps ``session,domain``. Seconds
are numbers like ``12.5``, never falling; tokens and sessions are whole numbers, a session is empty
for none; a domain is any name. Times stay as they are. podlab writes numbers so that they read back
exactly; prefixes have no place.
"""

import csv
from pathlib import Path

import numpy as np

from traces.formats.request_lines import created, seconds, whole
from traces.formats.request_table import Cell, Numbering, header_of, in_order, read_columns
from traces.requests import RequestTrace

NEEDED = ("arrival_s", "prompt_tokens", "output_tokens")


def recognises(path: Path) -> bool:
    """Whether the first line names the three columns."""
    return set(NEEDED) <= set(header_of(path))


def read(path: Path) -> RequestTrace:
    """Return the requests."""
    domains = Numbering()
    cells: tuple[Cell, ...] = (seconds, whole, whole)
    needed = dict(zip(NEEDED, cells, strict=True))
    columns = read_columns(path, needed, {"session": _session, "domain": domains})
    lines = columns["line"]
    in_order(columns["arrival_s"], lines, "arrival_s")
    if "domain" in columns and columns["domain"].min() < 0:
        line = lines[int(np.argmin(columns["domain"]))]
        raise ValueError(f"line {line}: domain is empty; name one, or leave the column out")
    return RequestTrace(
        columns["arrival_s"],
        columns["prompt_tokens"],
        columns["output_tokens"],
        session=columns.get("session"),
        domain=columns.get("domain"),
        domain_names=tuple(domains.numbers),
    )


def write(trace: RequestTrace, path: Path) -> None:
    """Write all but prefixes."""
    columns = {
        "arrival_s": map(repr, trace.arrival_s.tolist()),
        "prompt_tokens": trace.prompt_tokens.tolist(),
        "output_tokens": trace.output_tokens.tolist(),
    }
    if trace.session is not None:
        columns["session"] = [number if number >= 0 else "" for number in trace.session.tolist()]
    if trace.domain is not None:
        columns["domain"] = [trace.domain_names[number] for number in trace.domain.tolist()]
    with created(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _session(text: str) -> int:
    return whole(text) if text else -1
