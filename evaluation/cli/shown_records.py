"""Progress of a suite on standard error: a table in a terminal, lines elsewhere."""

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from evaluation.kinds.kernel_tasks import KernelTask
    from evaluation.kinds.kind import Kind
    from evaluation.kinds.task import SuiteTask

#: Most rows of the table, so that it fits a small terminal.
ROWS = 16


class ShownRecords:
    """What is compiled and recorded so far; a context manager.

    Parameters
    ----------
    kind
        Kind of the suite.
    tasks
        All tasks, also those whose records are reused.
    kernels
        What is compiled before the first task.
    jobs
        Worker processes.
    """

    def __init__(
        self,
        kind: "Kind",
        tasks: "Sequence[SuiteTask]",
        kernels: "Sequence[KernelTask]",
        jobs: int,
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._kind = kind
        self._total = len(tasks)
        self._kernels = len(kernels)
        self._compiling_s = sum(kernel.seconds for kernel in kernels) / min(jobs, len(kernels) or 1)
        self._done = self._compiled = 0
        self._wanted: dict[str, int] = defaultdict(int)
        for task in tasks:
            self._wanted[task.candidate.name] += 1
        self._scores: dict[str, list[float | None]] = defaultdict(list)
        console = Console(stderr=True)
        self._live = Live(console=console, transient=True, get_renderable=self._table)
        self._is_terminal = console.is_terminal

    def __enter__(self) -> Self:
        """Announce the compilation, and start the table in a terminal."""
        if self._is_terminal:
            self._live.start()
        if self._kernels:
            self.note(f"compiling kernels (first run only), about {self._compiling_s:.0f} s")
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the table."""
        if self._is_terminal:
            self._live.stop()

    def note(self, text: str) -> None:
        """Print a line, above the table in a terminal."""
        if self._is_terminal:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def compiled(self, kernel: "KernelTask") -> None:
        """Count kernels that are compiled; after the last, say where they are kept."""
        self._compiled += 1
        if not self._is_terminal:
            self.note(f"compiled {kernel.name} ({self._compiled} of {self._kernels})")
        if self._compiled == self._kernels:
            self.note(_kept_where())

    def record(self, record: dict[str, Any], reused: bool) -> None:
        """Count a record, and print it unless it is an earlier one."""
        display = self._kind.display
        name, score = record[display.field], _score(record, self._kind)
        self._done += 1
        self._scores[name].append(score)
        if reused or self._is_terminal:
            return
        where = " ".join(part for part in (record["scenario"]["id"], self._variant(record)) if part)
        column = display.primary
        said = record["status"] if score is None else f"{column.title} {column.text(score)}"
        self.note(f"{self._done} of {self._total}: {name} on {where}: {said}")

    def _variant(self, record: dict[str, Any]) -> str:
        return str(record.get(self._kind.display.variant) or "")

    def _table(self) -> "RenderableType":
        """Return rows so far, the candidates that are furthest first, and what is left."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        column = self._kind.display.primary
        table = Table(box=None, pad_edge=False)
        table.add_column(self._kind.display.noun)
        table.add_column("scenarios", justify="right")
        table.add_column(f"{column.title} so far", justify="right")
        rows = sorted(self._scores.items(), key=lambda row: -len(row[1]) / self._wanted[row[0]])
        for name, scores in rows[:ROWS]:
            table.add_row(name, f"{len(scores)} of {self._wanted[name]}", self._mean(scores))
        if self._compiled < self._kernels:
            text = f"compiled {self._compiled} of {self._kernels} groups of kernels"
            bar = ProgressBar(total=self._kernels, completed=self._compiled, width=40)
        else:
            text = f"{self._done} of {self._total} records"
            bar = ProgressBar(total=self._total, completed=self._done, width=40)
        return Group(table, bar, Text(text))

    def _mean(self, scores: list[float | None]) -> str:
        """Return the mean score; none where scores of scenarios have different units."""
        from evaluation.leaderboard.measure import RatioOfSums

        known = [score for score in scores if score is not None]
        if not known or not isinstance(self._kind.measure, RatioOfSums):
            return ""
        return self._kind.display.primary.text(sum(known) / len(known))


def _score(record: dict[str, Any], kind: "Kind") -> float | None:
    value = record.get("scores", {}).get(kind.display.primary.key)
    return float(value) if isinstance(value, (int, float)) else None


def _kept_where() -> str:
    """Say where numba keeps the machine code, or that it cannot."""
    from lb.kernel import cache_folder

    folder = cache_folder()
    if folder is None:
        return (
            "compiled kernels cannot be kept, since no folder can be written to: each process "
            "compiles its own; set NUMBA_CACHE_DIR to a folder"
        )
    return f"compiled kernels are kept in {folder}"
