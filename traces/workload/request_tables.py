"""Request streams from the tables of a TOML file."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

import traces
from traces.arrivals import DiurnalArrivals, GammaArrivals, PoissonArrivals
from traces.domain_shares import with_domains
from traces.lengths import EmpiricalLengths, LogNormalLengths, xdeepserve_lengths
from traces.merge import follow, merge
from traces.requests import RequestTrace
from traces.sessions import Sessions
from traces.workload.domain_schedule import DomainSchedule
from traces.workload.tables import checked_table, made, needed

ARRIVALS: dict[str, Any] = {
    "poisson": PoissonArrivals,
    "gamma": GammaArrivals,
    "diurnal": DiurnalArrivals,
}
DOMAINS = ("domain", "shares", "schedule", "gradual", "period_s")
KEYS = ("trace", "rate", "laps", "count", "arrivals", "lengths", "sessions", "start_s", "seed")
#: Purposes of seeds.
ARRIVE, LENGTH, SESSION, DOMAIN = range(4)
#: From a name in the file to the name or path of a trace.
Locate = Callable[[str], str | Path]


def requests_of(tables: Any, locate: Locate) -> RequestTrace:
    """Return the requests of a table, or of several streams that arrive at the same time.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value is out of its range.
    """
    if not isinstance(tables, list):
        return _stream(tables, "requests", locate)
    if not tables:
        raise ValueError("requests is empty; give one [[requests]] or more")
    streams = [_stream(table, f"requests[{n}]", locate) for n, table in enumerate(tables)]
    return streams[0] if len(streams) == 1 else merge(streams)


def _stream(value: Any, where: str, locate: Locate) -> RequestTrace:
    table = checked_table(value, where, (*KEYS, *DOMAINS))
    if ("trace" in table) == ("count" in table):
        raise ValueError(f"{where}: give either trace, a recording, or count, arrivals and lengths")
    stream = (_recorded if "trace" in table else _generated)(table, where, locate)
    stream = _with_domains(stream, table, where)
    start_s = float(table.get("start_s", 0.0))
    return replace(stream, arrival_s=stream.arrival_s + start_s) if start_s else stream


def _seed(table: dict[str, Any], purpose: int) -> int:
    # laws that share a seed would share their random numbers
    sequence = np.random.SeedSequence([int(table.get("seed", 0)), purpose])
    return int(sequence.generate_state(1)[0])


def _recorded(table: dict[str, Any], where: str, locate: Locate) -> RequestTrace:
    for key in ("arrivals", "lengths", "sessions"):
        if key in table:
            raise ValueError(f"{where}: {key} is for generated requests; trace is a recording")
    stream = traces.load(locate(table["trace"]), "request").served()
    laps = table.get("laps", 1)
    if not isinstance(laps, int) or laps < 1:
        raise ValueError(f"{where}: laps = {laps!r} is outside 1 <= laps")
    if laps > 1:
        stream = follow([stream] * laps, pause_s=1 / stream.rate, share_prefixes=True)
    if "rate" in table:
        stream = stream.rescale(float(table["rate"]) / stream.rate)
    return stream


def _generated(table: dict[str, Any], where: str, locate: Locate) -> RequestTrace:
    for key in ("rate", "laps"):
        if key in table:
            raise ValueError(f"{where}: {key} is for recordings; give it in arrivals instead")
    arrivals = _arrivals(table, where)
    lengths = _lengths(table, where, locate)
    number = table["count"]
    if "sessions" not in table:
        return RequestTrace(arrivals(number), *lengths(number))
    known = [f.name for f in fields(Sessions) if f.name not in ("arrivals", "lengths", "seed")]
    given = checked_table(table["sessions"], f"{where}.sessions", known)
    given |= {"arrivals": arrivals, "lengths": lengths, "seed": _seed(table, SESSION)}
    sessions: RequestTrace = made(Sessions, given, f"{where}.sessions")(number)
    return sessions


def _arrivals(table: dict[str, Any], where: str) -> Any:
    given = needed(table, "arrivals", where)
    where = f"{where}.arrivals"
    law = given.get("law", "poisson") if isinstance(given, dict) else given
    if law not in ARRIVALS:
        raise ValueError(f"{where}: law = {law!r} is not one of {', '.join(ARRIVALS)}")
    known = [field.name for field in fields(ARRIVALS[law])]
    given = checked_table(given, where, ["law", *known])
    values = {"seed": _seed(table, ARRIVE)} | {n: v for n, v in given.items() if n != "law"}
    return made(ARRIVALS[law], values, where)


def _lengths(table: dict[str, Any], where: str, locate: Locate) -> Any:
    known = [field.name for field in fields(LogNormalLengths)]
    given = checked_table(
        needed(table, "lengths", where), f"{where}.lengths", ["law", "trace", *known]
    )
    seed = _seed(table, LENGTH)
    if "trace" in given:
        return EmpiricalLengths(traces.load(locate(given["trace"]), "request").served(), seed)
    law = given.pop("law", "log-normal")
    if law == "xdeepserve":
        return xdeepserve_lengths(seed)
    if law != "log-normal":
        raise ValueError(f"{where}.lengths: law = {law!r} is not one of log-normal, xdeepserve")
    return made(LogNormalLengths, {"seed": seed} | given, f"{where}.lengths")


def _with_domains(stream: RequestTrace, table: dict[str, Any], where: str) -> RequestTrace:
    kinds = [key for key in ("domain", "shares", "schedule") if key in table]
    if len(kinds) > 1:
        raise ValueError(f"{where}: give one of {', '.join(kinds)}")
    if "domain" in table:
        return stream.in_domain(table["domain"])
    if "shares" in table:
        return with_domains(stream, table["shares"], _seed(table, DOMAIN))
    if "schedule" not in table:
        return stream
    entries = []
    for entry in table["schedule"]:
        row = checked_table(entry, f"{where}.schedule", ("start_s", "shares"))
        entries.append((float(row.get("start_s", 0.0)), needed(row, "shares", f"{where}.schedule")))
    options: dict[str, Any] = {key: table[key] for key in ("gradual", "period_s") if key in table}
    options |= {"entries": entries, "seed": _seed(table, DOMAIN)}
    scheduled: RequestTrace = made(DomainSchedule, options, f"{where}.schedule")(stream)
    return scheduled
