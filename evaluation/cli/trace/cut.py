"""`podlab trace cut`: some steps, tokens or layers of a trace."""

from typing import Annotated, Any

import typer

from evaluation.cli.trace.arguments import Out, Trace
from evaluation.cli.trace.store_output import check_out, describe, description, write
from evaluation.cli.usage_error import usage_errors


def cut(
    file: Trace,
    out: Out,
    steps: Annotated[
        str | None, typer.Option(help="Steps from:to, counted from 0: 10:20, :20, 10:")
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(help="Tokens from:to, counted from 0: 10:20, :20, 10:")
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="Layers in this order, counted from 0: 0,4,10-15")
    ] = None,
) -> None:
    """Write some steps, tokens or layers of a trace."""
    from traces.cut import Cut

    with usage_errors():
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


def _routing(file: str) -> Any:
    import traces

    trace: Any = traces.open(file)
    if not isinstance(trace, traces.StoredTrace | traces.RoutingTrace):
        raise ValueError(f"{file}: holds no routing, but {description(trace)}; only routing is cut")
    return trace


def _range(text: str, option: str) -> tuple[int | None, int | None]:
    first, colon, last = text.partition(":")
    if not colon or not all(end == "" or end.isdecimal() for end in (first, last)):
        raise ValueError(f"{option} {text}: give first:last, counted from 0, such as 10:20 or 10:")
    return int(first) if first else None, int(last) if last else None


def _numbers(text: str, option: str) -> list[int]:
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{option} {text}: give numbers and ranges, such as 0,4,10-15")
        numbers += range(int(first), int(last if dash else first) + 1)
    return numbers
