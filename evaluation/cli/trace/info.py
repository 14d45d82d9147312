"""`podlab trace info`: statistics of traces, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.trace.arguments import Traces
from evaluation.cli.usage_error import usage_errors

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
    from evaluation.report import plot_page, trace_page

    with usage_errors():
        if picture is not None:
            plot_page.check(picture, "--picture")
        names = _names(files, against)
        loaded = {name: _open(name) for name in names}
        others = [name for name in names if not _is_routing(loaded[name])]
        if others:
            message = f"{others[0]}: {_not_routing(loaded[others[0]])}"
            if len(names) > 1 or picture is not None or as_json:
                raise ValueError(message)
            print(message)
            return
        summaries = {
            name: _summary(name, trace, window_steps, step_tokens) for name, trace in loaded.items()
        }
        labels = _labels(names)
        labelled = {labels[name]: summary for name, summary in summaries.items()}
        if as_json:
            _print_json(summaries)
        else:
            _print(labelled, None if against is None else labels[against], by_layer)
        if picture is not None:
            trace_page.write(labelled, picture)
            if not as_json:
                print(f"drawn in {picture}")


def _names(files: list[str], against: str | None) -> list[str]:
    """Return the names of all traces; ValueError if a name occurs twice."""
    names = [*files, *([against] if against is not None else [])]
    if len(set(names)) < len(names):
        raise ValueError(f"{max(names, key=names.count)} is named twice; name each trace once")
    return names


def _print_json(summaries: "dict[str, Summary]") -> None:
    import json

    rows = [{"name": name, **summary.as_dict()} for name, summary in summaries.items()]
    print(json.dumps(rows, indent=1))


def _print(summaries: "dict[str, Summary]", against: str | None, by_layer: bool) -> None:
    from evaluation.analysis import trace_table

    trace_table.render(summaries, against, by_layer, table_console(trace_table.WIDTH))


def _labels(names: list[str]) -> dict[str, str]:
    """Return the labels of traces: stems of files, where these are distinct."""
    stems = {name: Path(name).stem if name.endswith(".parquet") else name for name in names}
    return stems if len(set(stems.values())) == len(names) else {name: name for name in names}


def _open(name: str) -> Any:
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
    whole = trace.load() if hasattr(trace, "load") else trace  # its repr describes it
    return f"{whole!r} holds no routing, and info measures only that"


def _summary(name: str, trace: Any, window_steps: int | None, step_tokens: int | None) -> "Summary":
    from traces.statistics import summarise
    from traces.stepping import has_steps

    try:
        # step_tokens does not apply to traces that are in steps already
        return summarise(trace, window_steps, None if has_steps(trace) else step_tokens)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(name) else f"{name}: {text}") from None
