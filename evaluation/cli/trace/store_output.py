"""Write traces from the command line: checks, progress bar and summary line."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.files.output_path import check_output


def write(pieces: Iterable[Any], out: Path, what: str) -> None:
    """Write pieces of a trace, with a progress bar that counts steps or tokens."""
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
    with progress(*columns, TimeElapsedColumn()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda rows: bar.update(task, advance=rows)


def check_out(
    out: Path, sources: Iterable[str | Path], endings: tuple[str, ...] = (".parquet",)
) -> None:
    """Raise unless ``out`` can be written and is none of the sources."""
    check_output(out, endings, "OUT", folder=not endings)
    for source in map(Path, sources):
        if out.exists() and source.exists() and out.samefile(source):
            raise ValueError(f"OUT {out} is the trace that is read; give another name")


def description(trace: Any) -> str:
    """Return one line that describes a trace."""
    kind = getattr(trace, "kind", None)
    if kind not in ("routing", "token"):
        return repr(trace)
    rows = "steps" if kind == "routing" else "tokens"
    return (
        f"{trace.model}: {trace.num_rows:,} {rows}, {trace.num_layers} layers, "
        f"{trace.num_experts} experts, top-{trace.top_k}, {trace.phase}"
    )


def describe(path: Path) -> str:
    """Return one line that describes the trace in a file."""
    import traces

    return description(traces.open(path))
