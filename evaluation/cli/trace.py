"""Commands about traces: import, export, cut, cat, formats; the others have files of their own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evaluation.cli import trace_info, trace_make
from evaluation.cli.trace_output import check_out, describe, refusing, words, write

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Look at traces, bring them in from other tools, and take them out again.",
    no_args_is_help=True,
)
app.command()(trace_info.info)
app.command()(trace_make.generate)
app.command()(trace_make.fit)

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
    from traces import exchange, formats
    from traces.formats.about import About

    with refusing():
        check_out(out, [source])
        name = form or formats.recognised(source)
        if name in formats.REQUESTS:
            if (model, top_k, experts, phase) != ("unknown", None, None, "unknown"):
                raise ValueError(f"{source}: {name} holds requests, which have no model or experts")
            exchange.import_trace(source, out, name)
        else:
            about = About(model, phase, top_k, experts)
            write(exchange.read_foreign(source, name, about), out, "importing")
        print(f"{source}: {name}\n{out}: {describe(out)}")


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

    with refusing():
        check_out(out, [file])
        trace = traces.open(file)
        if not isinstance(trace, traces.StoredTrace | traces.RoutingTrace):
            trace = trace.load()
        if step_tokens is not None:
            trace = _in_steps(trace, step_tokens)
        exchange.export_trace(trace, out, form)
        print(f"{out}: {form}, {words(trace)}")


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
    from traces.cut import Cut

    with refusing():
        if steps is None and tokens is None and layers is None:
            raise ValueError("nothing to cut: give --steps, --tokens or --layers")
        part = Cut(
            None if steps is None else _range(steps, "--steps"),
            None if tokens is None else _range(tokens, "--tokens"),
            None if layers is None else _numbers(layers, "--layers"),
        )
        check_out(out, [file])
        write(part(_routing(file)), out, "cutting")
        print(f"{out}: {describe(out)}")


@app.command()
def cat(
    files: Annotated[
        list[str], typer.Argument(help="Traces, or their names, in order.", metavar="FILE…")
    ],
    out: Out,
) -> None:
    """Write traces of one model one after another in time."""
    import traces
    from traces.joined_parts import join_parts

    with refusing():
        check_out(out, files)
        found: list[Any] = [traces.open(file) for file in files]
        routing = [isinstance(one, traces.StoredTrace | traces.RoutingTrace) for one in found]
        if not any(routing):
            traces.save(traces.concat([one.load() for one in found]), out)
        elif all(routing):
            write(join_parts(found), out, "joining")
        else:
            odd = files[routing.index(False)]
            raise ValueError(f"{odd}: holds no routing; only traces of one kind follow each other")
        print(f"{out}: {describe(out)}")


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


def _routing(file: str) -> Any:
    import traces

    found: Any = traces.open(file)
    if not isinstance(found, traces.StoredTrace | traces.RoutingTrace):
        raise ValueError(f"{file}: holds no routing, but {words(found)}; only routing is cut")
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
