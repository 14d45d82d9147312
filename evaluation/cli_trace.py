"""Commands about traces: import, export, cut, cat, formats; info is in a file of its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from evaluation import cli_trace_info
from evaluation.refuse import refuse

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Look at traces, bring them in from other tools, and take them out again.",
    no_args_is_help=True,
)
app.command()(cli_trace_info.info)

Out = Annotated[Path, typer.Argument(help="The store file to write (.parquet).", metavar="OUT")]


@app.callback()
def _group() -> None:
    """Look at traces, bring them in from other tools, and take them out again."""


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A file or folder.", metavar="SRC")],
    out: Out,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Its format, of `podlab trace formats`. [default: found]"),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of the model.")] = "unknown",
    top_k: Annotated[
        int | None, typer.Option(min=1, help="Experts that a token chooses, where it is not said.")
    ] = None,
    experts: Annotated[
        int | None, typer.Option(min=1, help="Experts of a layer, where it is not said.")
    ] = None,
    phase: Annotated[str, typer.Option(help="prefill, decode, mixed or unknown.")] = "unknown",
) -> None:
    """Write what another tool recorded as a trace of podlab."""
    import traces
    from traces import exchange, formats
    from traces.formats.about import About

    with _refusing():
        _check_out(out, [source])
        name = form or formats.recognised(source)
        if name in formats.REQUESTS:
            exchange.import_trace(source, out, name)
        else:
            about = About(model, phase, top_k, experts)
            _write(exchange.read_foreign(source, name, about), out, "importing")
        print(f"{source}: {name}\n{out}: {_words(traces.open(out))}")


@app.command()
def export(
    file: Annotated[str, typer.Argument(help="A trace, or the name of one.", metavar="FILE")],
    out: Annotated[Path, typer.Argument(help="The file or folder to write.", metavar="OUT")],
    form: Annotated[str, typer.Option("--format", help="One of `podlab trace formats`.")],
    step_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Cut tokens that are in no steps into such of so many."),
    ] = None,
) -> None:
    """Write a trace in the format of another tool."""
    import traces
    from traces import exchange

    with _refusing():
        _check_out(out, [file])
        trace = traces.open(file)
        if not isinstance(trace, traces.StoredTrace | traces.RoutingTrace):
            trace = trace.load()
        if step_tokens is not None:
            trace = _in_steps(trace, step_tokens)
        exchange.export_trace(trace, out, form)
        print(f"{out}: {form}, {_words(trace)}")


@app.command()
def cut(
    file: Annotated[str, typer.Argument(help="A trace, or the name of one.", metavar="FILE")],
    out: Out,
    steps: Annotated[
        str | None, typer.Option(help="First, and one after the last, from 0: 10:20, :20, 10:")
    ] = None,
    tokens: Annotated[str | None, typer.Option(help="The same of tokens.")] = None,
    layers: Annotated[
        str | None, typer.Option(help="Layers, from 0, in this order: 0,4,10-15")
    ] = None,
) -> None:
    """Write a part of a trace: some steps, some tokens, some layers."""
    import traces
    from traces.cut import Cut

    with _refusing():
        if steps is None and tokens is None and layers is None:
            raise ValueError("nothing to cut: give --steps, --tokens or --layers")
        part = Cut(
            None if steps is None else _range(steps, "--steps"),
            None if tokens is None else _range(tokens, "--tokens"),
            None if layers is None else _numbers(layers, "--layers"),
        )
        _check_out(out, [file])
        _write(part(_routing(file)), out, "cutting")
        print(f"{out}: {_words(traces.open(out))}")


@app.command()
def cat(
    files: Annotated[
        list[str], typer.Argument(help="Traces, or their names, in order.", metavar="FILE…")
    ],
    out: Out,
) -> None:
    """Write traces of one model one after another in time."""
    import traces
    from traces.joined import joined

    with _refusing():
        _check_out(out, files)
        found: list[Any] = [traces.open(file) for file in files]
        routing = [isinstance(one, traces.StoredTrace | traces.RoutingTrace) for one in found]
        if not any(routing):
            traces.save(traces.concat([one.load() for one in found]), out)
        elif all(routing):
            _write(joined(found), out, "joining")
        else:
            odd = files[routing.index(False)]
            raise ValueError(f"{odd}: holds no routing; only traces of one kind follow each other")
        print(f"{out}: {_words(traces.open(out))}")


@app.command()
def formats() -> None:
    """List the formats that are read, and those that are written too."""
    from traces import formats

    for kind, known in (("routing", formats.ROUTING), ("requests", formats.REQUESTS)):
        for name in sorted(known):
            module = formats.named(name)
            how = "read, written" if hasattr(module, "write") else "read"
            first = (module.__doc__ or "").strip().splitlines()[0]
            print(f"{name:20}{kind:10}{how:15}{first}")


def _write(pieces: Iterable[Any], out: Path, what: str) -> None:
    """Write pieces to the store under a bar that counts steps or tokens."""
    from traces import Writer

    with _counting(what) as count, Writer(out) as writer:
        for piece in pieces:
            writer.append(piece)
            count(len(next(iter(piece.columns.values()))))


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} rows"))
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda rows: progress.update(bar, advance=rows)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        refuse(error)


def _check_out(out: Path, sources: Iterable[str | Path]) -> None:
    """Raise unless ``out`` can be written and is none of what is read."""
    if not out.parent.is_dir():
        raise ValueError(f"{out}: there is no folder {out.parent}; make it first")
    for source in map(Path, sources):
        if out.exists() and source.exists() and out.samefile(source):
            raise ValueError(f"{out} is what is read; write to another name")


def _routing(file: str) -> Any:
    import traces

    found: Any = traces.open(file)
    if not isinstance(found, traces.StoredTrace | traces.RoutingTrace):
        raise ValueError(f"{file}: holds no routing, but {_words(found)}; only routing is cut")
    return found


def _in_steps(trace: Any, step_tokens: int) -> Any:
    """Return tokens in steps, in memory."""
    import traces

    tokens = trace.load()
    if not isinstance(tokens, traces.TokenTrace) or tokens.step is not None:
        raise ValueError(
            f"--step-tokens {step_tokens} is for tokens that are in no steps; leave it"
        )
    return tokens.split(step_tokens)


def _range(text: str, option: str) -> tuple[int | None, int | None]:
    first, colon, last = text.partition(":")
    if not colon or not all(end == "" or end.isdecimal() for end in (first, last)):
        raise ValueError(f"{option} {text}: give first:last, counted from 0, such as 10:20 or 10:")
    return int(first) if first else None, int(last) if last else None


def _numbers(text: str, option: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{option} {text}: give numbers and ranges, such as 0,4,10-15")
        found += range(int(first), int(last if dash else first) + 1)
    return found


def _words(trace: Any) -> str:
    """Return what a trace is, in a line."""
    kind = getattr(trace, "kind", None)
    if kind not in ("routing", "token"):
        return repr(trace)
    rows = "steps" if kind == "routing" else "tokens"
    return (
        f"{trace.model}: {trace.num_rows:,} {rows}, {trace.num_layers} layers, "
        f"{trace.num_experts} experts, top-{trace.top_k}, {trace.phase}"
    )
