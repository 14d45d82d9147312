"""Rank schedulers: a serving scenario with one scheduler exchanged at a time."""

import dataclasses
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import schedulers
import traces
from evaluation import records
from evaluation.serving.distribution import distribution
from evaluation.serving.scenario import ServingScenario, read
from evaluation.serving.simulate import simulate
from hardware import preset

#: Stage, as a scenario's key, to the registry of what may be there.
STAGES = {
    "job": schedulers.JOB,
    "prefill": schedulers.PREFILL,
    "batch": schedulers.BATCH,
    "decode": schedulers.DECODE,
}
#: References that take seconds a call, or that choose among executors: they do not play.
LEFT_OUT = frozenset({"assignment", "expert-locality"})

CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "serving": preset.text,
    "trace": preset.text,
    "requests": preset.count_from_one,
    "rate_factor": preset.positive,
    "routing": preset.text,
    "ttft_s": preset.positive,
    "tpot_s": preset.positive,
}


@dataclass(frozen=True)
class ServingSuite:
    """Scenarios on which schedulers are ranked.

    Parameters
    ----------
    id
        With a version that rises whenever scores could change.
    scenarios
        By id.
    """

    id: str
    scenarios: dict[str, ServingScenario]


@dataclass(frozen=True)
class ServingTask:
    """One record to be: a scenario with one scheduler exchanged."""

    suite: str
    scenario_id: str
    scenario: ServingScenario
    stage: str
    name: str
    seed: int

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        return {
            "suite": self.suite,
            "scenario": asdict(self.scenario),
            "stage": self.stage,
            "seed": self.seed,
            "source_hash": records.provenance()["source_hash"],
            "trace": traces.open(self.scenario.trace, "request").content_hash,
        }

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = f"{self.scenario_id}--{self.stage}-{self.name}"
        return records.path_of(folder, self.suite, name, self.identity())

    def run(self) -> dict[str, Any]:
        """Simulate and return the record; a scheduler's failure becomes part of it."""
        started = time.perf_counter()
        record = records.begun(
            kind="serving",
            suite=self.suite,
            scenario={"id": self.scenario_id, **asdict(self.scenario)},
            stage=self.stage,
            solver=self.name,
            seed=self.seed,
        )
        try:
            result = simulate(self.scenario, seed=self.seed)
        except Exception as error:  # a scheduler of anybody's may raise anything
            record |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        else:
            record |= {"status": "ok", "scores": _scores(result.summary)}
            record |= {"summary": result.summary, "distribution": distribution(result.log)}
        record["wall"] = {"total_s": time.perf_counter() - started}
        return record


def _scores(summary: Any) -> dict[str, float]:
    decode = [one for name, one in summary["executors"].items() if "prefill" not in name]
    goodput = summary["goodput"]
    return {
        "goodput": goodput["output_tokens_per_s_per_chip"],
        "share": goodput["share"] or 0.0,
        "ttft_p50_s": summary["ttft_s"]["p50"],
        "ttft_p99_s": summary["ttft_s"]["p99"],
        "tpot_p50_s": summary["tpot_s"]["p50"],
        "tpot_p99_s": summary["tpot_s"]["p99"],
        "dp_imbalance": max(one["dp_imbalance"] or 0.0 for one in decode),
        "barrier_idle": max(one["barrier_idle"] or 0.0 for one in decode),
        "cached_tokens": float(summary["requests"]["cached_tokens"]),
    }


def parse(path: Path, content: dict[str, Any]) -> ServingSuite:
    """Return the suite of a TOML file whose ``kind`` is "serving".

    Raises
    ------
    ValueError
        Naming file and key of what is unknown or impossible.
    """
    scenarios: dict[str, ServingScenario] = {}
    optional = frozenset(set(CHECKS) - {"id", "serving"})
    for table in content["scenario"]:
        where = f"{path}: scenario {table.get('id', '?')!r}"
        values = preset.checked(where, dict(table), CHECKS, optional)
        name, base = values.pop("id"), read(values.pop("serving"))
        if name in scenarios:
            raise ValueError(f"{path}: scenario id {name!r} occurs twice; give each its own")
        if "routing" in values:
            values["routing"] = (values["routing"],)
        scenarios[name] = dataclasses.replace(base, name=name, **values)
    return ServingSuite(str(content["id"]), scenarios)


def tasks(suite: ServingSuite, seed: int = 0) -> list[ServingTask]:
    """Return a task for every scenario, stage and registered scheduler."""
    found = []
    for name, scenario in suite.scenarios.items():
        for stage, registry in STAGES.items():
            for one in registry.available():
                if one not in LEFT_OUT:
                    exchanged: dict[str, Any] = {stage: one}
                    changed = dataclasses.replace(scenario, **exchanged)
                    found.append(ServingTask(suite.id, name, changed, stage, one, seed))
    return found
