"""Run the tasks of a suite and show what happens: compiling, each record, rows so far."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cli.compiled_list import CompiledList
from evaluation.cli.shown_records import ShownRecords
from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from evaluation.kinds.kind import Kind
    from evaluation.kinds.task import SuiteTask
    from evaluation.records.sweep import SweepTask

#: Solvers that compute longest, the longest last.
LONG = ("affinity", "robust", "auto", "ilp", "learned")


def run_shown(
    tasks: "list[SuiteTask]", kind: "Kind", out: Path, sweep_options: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Run tasks and show their records as they come; an interrupt keeps what is finished.

    Kernels that were never compiled on this machine are compiled first, shared out between the
    worker processes. Of a scenario's candidates, those that compute little go first.

    Returns
    -------
    tuple
        The records, each with "reused", and whether the user interrupted.
    """
    from evaluation.kinds.kernel_tasks import kernel_tasks
    from evaluation.records import sweep

    compiled = CompiledList()
    kernels = kernel_tasks(tasks, compiled.names)
    records: list[dict[str, Any]] = []
    with ShownRecords(kind, tasks, kernels, sweep_options["jobs"]) as shown:

        def on_prepared(kernel: Any) -> None:
            compiled.add(kernel.name)
            shown.compiled(kernel)

        def on_record(record: dict[str, Any], reused: bool) -> None:
            records.append({**record, "reused": reused})
            shown.record(record, reused)

        def on_lost(task: "SweepTask", reason: str) -> None:
            shown.note(f"{task.path(out).stem}: {reason}; trying again")

        try:
            sweep.run(
                cheap_first(tasks),
                out,
                **sweep_options,
                preparations=kernels,
                on_prepared=on_prepared,
                on_record=on_record,
                on_lost=on_lost,
            )
        except KeyboardInterrupt:
            return records, True
        except (ImportError, ValueError, OSError) as error:
            usage_error(error)
    return records, False


def cheap_first(tasks: "list[SuiteTask]") -> "list[SuiteTask]":
    """Return the tasks with those of long solvers last among the tasks on the same traffic.

    Traffic keeps its order: worker processes keep what they have drawn for the next task.
    """
    sorted_tasks: list[SuiteTask] = []
    for _, group in groupby(tasks, key=lambda task: (id(task.scenario), task.candidate.seed)):
        sorted_tasks += sorted(group, key=_length)
    return sorted_tasks


def _length(task: "SuiteTask") -> int:
    return LONG.index(task.candidate.name) if task.candidate.name in LONG else -1
