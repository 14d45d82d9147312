"""BurstGPT: CSV, plain or gzip, of ChatGPT and GPT-4 requests in a campus service.

The first line is ``Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type`` (files
1 and 2), with ``Session ID,Elapsed time`` behind ``Timestamp`` in file 3; columns are found by
name. ``Timestamp`` is seconds from the first midnight (``5`` or ``19440110.0``); here times count
from the first request, whose own provenance keeps as ``first_request``. A session is any text; an
empty one, as on every ``API log`` row, is none. The model becomes the domain. Total tokens must be
the sum. Failures have 0 response tokens and stay, see :meth:`traces.RequestTrace.served`. Elapsed
time and log type are left out. podlab writes eight columns from second 0 on, without elapsed times,
the log type by whether there is a session, the model "unknown" where there are no domains; prefixes
have no place. Layout: HPMLL/BurstGPT, README.md, and the first lines of its releases.
"""

import csv
from pathlib import Path

import numpy as np

from traces.formats.request_lines import created, seconds, whole
from traces.formats.request_table import Cell, Numbering, header_of, in_order, read_columns
from traces.request_checks import LATEST_S
from traces.requests import RequestTrace

CORE = ("Timestamp", "Model", "Request tokens", "Response tokens", "Total tokens", "Log Type")
COLUMNS = (CORE[0], "Session ID", "Elapsed time", *CORE[1:])


def recognises(path: Path) -> bool:
    """Whether the first line names the six columns."""
    return set(CORE) <= set(header_of(path))


def read(path: Path) -> RequestTrace:
    """Return the requests, failed ones included."""
    models, sessions = Numbering(), Numbering()
    cells: tuple[Cell, ...] = (seconds, models, whole, whole, whole, len)
    needed = dict(zip(CORE, cells, strict=True))
    columns = read_columns(path, needed, {"Session ID": sessions, "Elapsed time": len})
    times, lines = columns["Timestamp"], columns["line"]
    in_order(times, lines, "Timestamp")
    if times[-1] >= LATEST_S:
        raise ValueError(f"line {lines[-1]}: Timestamp is {times[-1]} >= 2**33; give seconds")
    if columns["Model"].min() < 0:
        raise ValueError(f"line {lines[np.argmin(columns['Model'])]}: Model is empty; name one")
    total = columns["Request tokens"] + columns["Response tokens"]
    if (total != columns["Total tokens"]).any():
        row = int(np.argmax(total != columns["Total tokens"]))
        raise ValueError(
            f"line {lines[row]}: Total tokens is {columns['Total tokens'][row]}, the sum of "
            f"request and response is {total[row]}; correct the row"
        )
    return RequestTrace(
        times - times[0],
        columns["Request tokens"],
        columns["Response tokens"],
        session=columns.get("Session ID"),
        domain=columns["Model"],
        domain_names=tuple(models.numbers),
        provenance={"first_request": repr(float(times[0]))},
    )


def write(trace: RequestTrace, path: Path) -> None:
    """Write all but prefixes."""
    none = [-1] * trace.num_requests
    session = none if trace.session is None else trace.session.tolist()
    domain = none if trace.domain is None else trace.domain.tolist()
    names = trace.domain_names or ("unknown",)
    with created(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for time, who, model, prompt, output in zip(
            trace.arrival_s.tolist(),
            session,
            domain,
            trace.prompt_tokens.tolist(),
            trace.output_tokens.tolist(),
            strict=True,
        ):
            talk = ("", "API log") if who < 0 else (who, "Conversation log")
            tokens = (prompt, output, prompt + output)
            writer.writerow((repr(time), talk[0], "", names[model], *tokens, talk[1]))
