"""`podlab trace import`: from the format of another tool to a trace of podlab."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli.trace.arguments import Out
from evaluation.cli.trace.store_output import check_out, describe, write
from evaluation.cli.usage_error import usage_errors

if TYPE_CHECKING:
    from traces.formats.about import About


def import_(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="File or folder to read. Several are conditions of one trace, a step each.",
            metavar="SRC…",
        ),
    ],
    out: Out,
    form: Annotated[
        str | None,
        typer.Option("--format", help="One of `podlab trace formats`. [default: detected]"),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of the model.")] = "unknown",
    top_k: Annotated[
        int | None, typer.Option(min=1, help="Experts per token, where the source does not say.")
    ] = None,
    experts: Annotated[
        int | None, typer.Option(min=1, help="Experts per layer, where the source does not say.")
    ] = None,
    phase: Annotated[str, typer.Option(help="prefill, decode, mixed or unknown.")] = "unknown",
) -> None:
    """Convert recordings of another tool to a trace of podlab."""
    from traces.formats.about import About

    with usage_errors():
        check_out(out, sources)
        about = About(model, phase, top_k, experts)
        if len(sources) > 1:
            _conditions(sources, out, form, about)
        else:
            _recording(sources[0], out, form, about)


def _recording(source: Path, out: Path, form: str | None, about: "About") -> None:
    """Write what one file or folder holds, step by step."""
    from traces import exchange, formats

    name = form or formats.recognised(source)
    if name not in formats.REQUESTS:
        write(exchange.read_foreign(source, name, about), out, "importing")
    elif about == type(about)():
        exchange.import_trace(source, out, name)
    else:
        raise ValueError(f"{source}: {name} holds requests, which have no model or experts")
    print(f"{source}: {name}\n{out}: {describe(out)}")


def _conditions(sources: list[Path], out: Path, form: str | None, about: "About") -> None:
    """Write one step for each file or folder."""
    import traces

    trace = traces.read_conditions(sources, form=form, **vars(about))
    traces.save(trace, out)
    for number, (source, name) in enumerate(
        zip(sources, traces.condition_names(trace), strict=True)
    ):
        print(f"{source}: step {number}, {name}")
    print(f"{out}: {describe(out)}")
