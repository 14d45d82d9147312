"""`podlab trace info`: statistics of traces, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.trace.arguments import Traces
from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from traces.statistics import Summary


def info(
    files: Traces,
    against: Annotated[
        str | None, typer.Option(help="Trace that the others are compared with.")
    ] = None,
    window_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps per window. [default: about 32 windows]")
    ] = None,
    step_tokens: Annotated[
        int | None,
        typer.Option(
            min=1, help="Tokens per step, for token-level traces. [default: 32 steps in all]"
        ),
    ] = None,
    by_layer: Annotated[bool, typer.Option(help="Print a row for each layer too.")] = False,
    as_json: options.AsJson = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw heat maps into this .html, .svg or .png file.")
    ] = None,
) -> None:
    """Measure skew, drift, co-activation and more, and draw where the load is."""
    import json

    from evaluation.analysis import trace_table
    from evaluation.report import page, trace_page

    try:
        if picture is not None:
            page.check(picture, "--picture")
        names = [*files, *([against] if against is not None else [])]
        if len(set(names)) < len(names):
            raise ValueError(f"{max(names, key=names.count)} is named twice; name each trace once")
        found: dict[str, Any] = {name: _opened(name) for name in names}
        unknown = [name for name, one in found.items() if not _is_routing(one)]
        if unknown and (len(names) > 1 or picture is not None or as_json):
            raise ValueError(f"{unknown[0]}: {_not_routing(found[unknown[0]])}")
        if unknown:
            print(f"{unknown[0]}: {_not_routing(found[unknown[0]])}")
            return
        told = {name: _summary(name, one, window_steps, step_tokens) for name, one in found.items()}
        if as_json:
            print(json.dumps([{"name": name, **told[name].as_dict()} for name in names], indent=1))
        short = _short(names)
        drawn = {short[name]: summary for name, summary in told.items()}
        if not as_json:
            trace_table.render(drawn, None if against is None else short[against], by_layer)
        if picture is not None:
            trace_page.write(drawn, picture)
            if not as_json:
                print(f"drawn in {picture}")
    except (ValueError, OSError, ImportError) as error:
        usage_error(error)


def _short(names: list[str]) -> dict[str, str]:
    """Return what to call traces: files by their stems, where these tell them apart."""
    stems = {name: Path(name).stem if name.endswith(".parquet") else name for name in names}
    return stems if len(set(stems.values())) == len(names) else {name: name for name in names}


def _opened(name: str) -> Any:
    import traces

    try:
        return traces.open(name)
    except ValueError as error:
        if Path(name).exists() and Path(name).suffix != ".parquet":
            raise ValueError(
                f"{name}: no trace of podlab; bring it in with podlab trace import"
            ) from None
        raise error from None


def _is_routing(trace: Any) -> bool:
    import traces

    return isinstance(trace, traces.RoutingTrace | traces.StoredTrace)


def _not_routing(trace: Any) -> str:
    whole = trace.load() if hasattr(trace, "load") else trace  # which says more of itself
    return f"{whole!r} holds no routing, and info measures only that"


def _summary(name: str, trace: Any, window_steps: int | None, step_tokens: int | None) -> "Summary":
    from traces.statistics import summarise
    from traces.stepping import has_steps

    try:
        # of several traces, those that are in steps already have no use for step_tokens
        return summarise(trace, window_steps, None if has_steps(trace) else step_tokens)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(name) else f"{name}: {text}") from None
