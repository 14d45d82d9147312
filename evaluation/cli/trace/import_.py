"""`podlab trace import`: from the format of another tool to a trace of podlab."""

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli.trace.arguments import Out
from evaluation.cli.trace.store_output import check_out, describe, write
from evaluation.cli.usage_error import usage_errors


def import_(
    source: Annotated[Path, typer.Argument(help="File or folder to read.", metavar="SRC")],
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
    """Convert a recording of another tool to a trace of podlab."""
    from traces import exchange, formats
    from traces.formats.about import About

    with usage_errors():
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
