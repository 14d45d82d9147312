"""Who a record is about, and which traffic it ran on."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

Record = dict[str, Any]


class CandidateId(NamedTuple):
    """What a row is about: name, dispatcher, and what else tells two of one name apart."""

    name: str
    dispatcher: str
    file: str
    parameters: str


class ScenarioTrace(NamedTuple):
    """One trace of a scenario; a generated trace differs from seed to seed."""

    scenario: str
    trace_seed: int | None


@dataclass(frozen=True)
class Identity:
    """Fields of a record that say who ran, and on which traffic.

    Parameters
    ----------
    name
        Field with the candidate's name. The hash of its file is in ``{name}_file``.
    dispatcher
        Field with the dispatcher; empty where none takes part.
    trace_seed
        Field that tells the traces of one scenario apart.
    """

    name: str = "solver"
    dispatcher: str = "dispatcher"
    trace_seed: str = "trace_seed"

    def candidate(self, record: Record) -> CandidateId:
        """Return what a record is about, whatever its seed."""
        file = record.get(f"{self.name}_file") or ""
        own = {key: value for key, value in record.get("parameters", {}).items() if key != "seed"}
        dispatcher = record.get(self.dispatcher, "") if self.dispatcher else ""
        # A candidate that failed before it was made has no parameters: it is still the same one.
        parameters = json.dumps(own, sort_keys=True) if own else ""
        return CandidateId(record[self.name], dispatcher, file, parameters)

    def trace(self, record: Record) -> ScenarioTrace:
        """Return the trace of the scenario that a record was made on."""
        return ScenarioTrace(record["scenario"]["id"], record.get(self.trace_seed))
