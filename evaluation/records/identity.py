"""What a record is about: which candidate ran, on which traffic."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

Record = dict[str, Any]

#: Fields that may name the candidate; the hash of its file is in ``{field}_file``.
CANDIDATE_FIELDS = ("solver", "forecaster")
#: Fields that tell the runs of one candidate on one scenario apart. "anytime" is the parameter that
#: a record sets, and its value, where the suite asks for a curve of quality against cost.
RUN_FIELDS = ("kind", "suite", "stage", "dispatcher", "anytime", "seed", "trace_seed")


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
    """Fields of the records of one kind that name the candidate and the traffic.

    Parameters
    ----------
    name
        Field with the candidate's name, one of :data:`CANDIDATE_FIELDS`.
    dispatcher
        Field with the dispatcher; empty where none takes part.
    trace_seed
        Field that tells the traces of one scenario apart.

    Raises
    ------
    ValueError
        If a field is none of those that :func:`run_of` compares: a new record would then replace
        the records of other candidates.
    """

    name: str = "solver"
    dispatcher: str = "dispatcher"
    trace_seed: str = "trace_seed"

    def __post_init__(self) -> None:
        """Check the names of the fields."""
        if self.name not in CANDIDATE_FIELDS:
            raise ValueError(f"name = {self.name!r} is not one of {', '.join(CANDIDATE_FIELDS)}")
        for field in filter(None, (self.dispatcher, self.trace_seed)):
            if field not in RUN_FIELDS:
                raise ValueError(f"field {field!r} is not one of {', '.join(RUN_FIELDS)}")

    def candidate(self, record: Record) -> CandidateId:
        """Return the candidate of a record, whatever its seed."""
        file = record.get(f"{self.name}_file") or ""
        dispatcher = record.get(self.dispatcher, "") if self.dispatcher else ""
        # A candidate that failed before it was made has no parameters: it is still the same one.
        own = parameters_of(record)
        parameters = json.dumps(own, sort_keys=True) if own else ""
        return CandidateId(record[self.name], dispatcher, file, parameters)

    def trace(self, record: Record) -> ScenarioTrace:
        """Return the trace of the scenario that a record was made on."""
        return ScenarioTrace(record["scenario"]["id"], record.get(self.trace_seed))


def run_of(record: Record) -> tuple[Any, ...]:
    """Return what tells the run of a record from all others, but for its parameters.

    Two records of one run, under the same parameters, differ only in code or inputs.
    """
    files = (f"{field}_file" for field in CANDIDATE_FIELDS)
    fields = (*RUN_FIELDS, *CANDIDATE_FIELDS, *files)
    values = (json.dumps(record.get(field), sort_keys=True) for field in fields)
    return record["scenario"]["id"], *values


def parameters_of(record: Record) -> dict[str, Any] | None:
    """Return the parameters without the seed, which is a field of its own.

    None if the record has no parameters: its candidate failed before it was made.
    """
    parameters = record.get("parameters")
    if not isinstance(parameters, dict):
        return None
    return {name: value for name, value in parameters.items() if name != "seed"}
