"""Writing traces from the command line: checks, a bar that counts, and what was written."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.cli.usage_error import refuse
from evaluation.files.output_path import check_output


def write(pieces: Iterable[Any], out: Path, what: str) -> None:
    """Write pieces to the store under a bar that counts steps or tokens."""
    from traces import Writer

    with _counting(what) as count, Writer(out) as writer:
        for piece in pieces:
            writer.append(piece)
            count(len(next(iter(piece.columns.values()))))


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from evaluation.cli.progress import progress

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} rows"))
    with progress(*columns, TimeElapsedColumn()) as shown:
        bar = shown.add_task(what, total=None)
        yield lambda rows: shown.update(bar, advance=rows)


@contextmanager
def refusing() -> Iterator[None]:
    """Say in one line what is wrong with the call, and leave, where it is that."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        refuse(error)


def check_out(out: Path, sources: Iterable[str | Path]) -> None:
    """Raise unless ``out`` can be written and is none of what is read."""
    check_output(out, folder=True)
    for source in map(Path, sources):
        if out.exists() and source.exists() and out.samefile(source):
            raise ValueError(f"{out} is what is read; write to another name")


def words(trace: Any) -> str:
    """Return what a trace is, in a line."""
    kind = getattr(trace, "kind", None)
    if kind not in ("routing", "token"):
        return repr(trace)
    rows = "steps" if kind == "routing" else "tokens"
    return (
        f"{trace.model}: {trace.num_rows:,} {rows}, {trace.num_layers} layers, "
        f"{trace.num_experts} experts, top-{trace.top_k}, {trace.phase}"
    )


def describe(path: Path) -> str:
    """Return what a file that was just written is, in a line."""
    import traces

    return words(traces.open(path))
