"""Routing from the table of a TOML file."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import traces
from traces import generators
from traces.generators import PRESETS, Law, loads
from traces.workload.condition_routing import ConditionRouting
from traces.workload.law_routing import LawRouting
from traces.workload.layer_sample import layer_sample, sampled_layers
from traces.workload.load_routing import load_routing
from traces.workload.recorded_routing import RecordedRouting
from traces.workload.request_tables import Locate
from traces.workload.routing_model import RoutingModel
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.tables import checked_table, made, needed
from traces.workload.token_filter import TokenFilter

KINDS = ("law", "loads", "recorded", "conditions")
OF_LAW = ("prefill_law", "domain_names", "law_step_s")
OF_LOADS = ("domain_names", "layers", "seed")
OF_SEQUENCES = ("sequence_correlation", "sequence_kinds")


def routing_of(value: Any, locate: Locate) -> RoutingModel:
    """Return the routing of a table.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value is out of its range.
    """
    known = (*KINDS, *OF_LAW, *OF_LOADS, "recorded_prefill", *OF_SEQUENCES)
    table = checked_table(value, "routing", tuple(dict.fromkeys(known)))
    kinds = [key for key in KINDS if key in table]
    if len(kinds) != 1:
        raise ValueError(
            f"routing has {', '.join(kinds) or 'none'} of {', '.join(KINDS)}; give one"
        )
    readers = {"law": _law, "loads": _loads, "recorded": _recorded, "conditions": _conditions}
    return readers[kinds[0]](table, locate)


def _only(table: dict[str, Any], kind: str, keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in (kind, *keys):
            raise ValueError(f"routing: {key} has no effect with {kind}; leave it out")


def _law(table: dict[str, Any], locate: Locate) -> RoutingModel:
    _only(table, "law", (*OF_LAW, "seed", *OF_SEQUENCES))
    given: dict[str, Any] = {"law": _named_law(table["law"], table, locate)}
    if "prefill_law" in table:
        given["prefill"] = _named_law(table["prefill_law"], table, locate)
    if "domain_names" in table:
        given["domain_names"] = tuple(table["domain_names"])
    if "law_step_s" in table:
        given["law_step_s"] = table["law_step_s"]
    routing: RoutingModel = made(LawRouting, given | _kinds(table), "routing")
    return routing


def _loads(table: dict[str, Any], locate: Locate) -> RoutingModel:
    _only(table, "loads", (*OF_LOADS, *OF_SEQUENCES))
    name = table["loads"]
    path = Path(locate(name))
    # a name that is neither is an unknown preset, whose nearest is named
    law = loads.load(path) if name not in loads.PRESETS and path.is_file() else loads.preset(name)
    if "domain_names" in table:
        law = loads.with_domains(law, table["domain_names"])
    if "layers" in table:
        law = layer_sample(law, table["layers"], table.get("seed", 0))
    if "sequence_kinds" in table and "sequence_correlation" not in table:
        table = table | {"sequence_correlation": law.sequence_correlation}
    routing: RoutingModel = made(load_routing, {"law": law} | _kinds(table), "routing")
    return routing


def _named_law(name: str, table: dict[str, Any], locate: Locate) -> Law:
    path = Path(locate(name))
    is_file = name not in PRESETS and path.is_file()
    law = generators.load(path) if is_file else generators.preset(name)
    return law.replace(seed=table["seed"]) if "seed" in table else law


def _recorded(table: dict[str, Any], locate: Locate) -> RoutingModel:
    _only(table, "recorded", ("recorded_prefill",))
    given: list[Any] = [
        {name: traces.load(locate(trace), "routing") for name, trace in table[key].items()}
        for key in ("recorded", "recorded_prefill")
        if key in table
    ]
    return RecordedRouting(*given)


def _conditions(table: dict[str, Any], locate: Locate) -> RoutingModel:
    _only(table, "conditions", ("layers", "seed", *OF_SEQUENCES))
    recordings, judged = {}, {}
    known = [field.name for field in fields(TokenFilter)]
    for number, value in enumerate(table["conditions"]):
        where = f"routing.conditions[{number}]"
        entry = checked_table(value, where, ("trace", "judged", "condition", *known))
        names = [name for name in ("trace", "judged") if name in entry]
        traces_of: dict[str, Any] = {name: entry.pop(name) for name in names}
        needed(traces_of, "trace", where)
        step = entry.pop("condition", None)
        bounds = {n: tuple(v) if isinstance(v, list) else v for n, v in entry.items()}
        condition = made(TokenFilter, bounds, where)
        totals = {
            name: _sampled(_counts(traces.load(locate(trace), "routing"), step, where), table)
            for name, trace in traces_of.items()
        }
        recordings[condition] = totals["trace"]
        if "judged" in totals:
            judged[condition] = totals["judged"]
    return ConditionRouting.from_traces(recordings, **_kinds(table), judged=judged)


def _counts(trace: Any, condition: str | None, where: str) -> traces.RoutingTrace:
    """Return the counts of a recording, or of its step that is the condition of that name."""
    is_tokens = isinstance(trace, traces.TokenTrace)
    if condition is None:
        counts: traces.RoutingTrace = trace.split(trace.num_tokens).counts() if is_tokens else trace
        return counts
    if is_tokens:
        raise ValueError(f"{where}: {trace!r} holds tokens, not one step a condition")
    names = traces.condition_names(trace)
    if condition not in names:
        raise ValueError(f"{where}: condition = {condition!r} is not one of {', '.join(names)}")
    step = names.index(condition)
    return traces.RoutingTrace(trace.counts[step : step + 1], trace.model, trace.top_k, trace.phase)


def _sampled(trace: traces.RoutingTrace, table: dict[str, Any]) -> traces.RoutingTrace:
    """Return a recording, with a sample of its layers if so asked."""
    if "layers" not in table:
        return trace
    rows = sampled_layers(trace.num_layers, table["layers"], table.get("seed", 0))
    return replace(trace, counts=trace.counts[:, rows])


def _kinds(table: dict[str, Any]) -> dict[str, SequenceKinds]:
    if "sequence_correlation" not in table:
        return {}
    given = {"correlation": table["sequence_correlation"]}
    if "sequence_kinds" in table:
        given["count"] = table["sequence_kinds"]
    return {"kinds": made(SequenceKinds, given, "routing")}
