"""`podlab trace import`: from the format of another tool to a trace of podlab."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli.trace import arguments
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
    form: arguments.Form = None,
    model: arguments.ModelName = "unknown",
    top_k: arguments.TopK = None,
    experts: arguments.Experts = None,
    phase: arguments.Phase = "unknown",
) -> None:
    """Convert recordings of another tool to a trace of podlab."""
    with usage_errors():
        check_out(out, sources)
        about = arguments.about(model, phase, top_k, experts)
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
