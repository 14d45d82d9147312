"""`podlab trace export`: from a trace of podlab to the format of another tool."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.trace.arguments import Trace
from evaluation.cli.trace.store_output import check_out, description
from evaluation.cli.usage_error import usage_errors


def export(
    file: Trace,
    out: Annotated[Path, typer.Argument(help="File or folder to write.", metavar="OUT")],
    form: Annotated[str, typer.Option("--format", help="One of `podlab trace formats`.")],
    step_tokens: options.StepTokens = None,
) -> None:
    """Write a trace in the format of another tool."""
    import traces
    from traces import exchange

    with usage_errors():
        check_out(out, [file], ())
        trace = traces.open(file)
        if not isinstance(trace, traces.StoredTrace | traces.RoutingTrace):
            trace = trace.load()
        if step_tokens is not None:
            trace = _in_steps(trace, step_tokens)
        exchange.export_trace(trace, out, form)
        print(f"{out}: {form}, {description(trace)}")


def _in_steps(trace: Any, step_tokens: int) -> Any:
    """Return tokens in steps, in memory."""
    import traces

    tokens = trace.load()
    if not isinstance(tokens, traces.TokenTrace) or tokens.step is not None:
        raise ValueError(
            f"--step-tokens {step_tokens} is for tokens that are in no steps; leave it"
        )
    return tokens.split(step_tokens)
