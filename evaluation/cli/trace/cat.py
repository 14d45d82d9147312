"""`podlab trace cat`: traces one after another in time."""

from typing import Any

from evaluation.cli.trace.arguments import Out, Traces
from evaluation.cli.trace.store_output import check_out, describe, write
from evaluation.cli.usage_error import usage_errors


def cat(files: Traces, out: Out) -> None:
    """Join traces of one model, one after another in time."""
    import traces
    from traces.joined_parts import join_parts

    with usage_errors():
        check_out(out, files)
        parts: list[Any] = [traces.open(file) for file in files]
        routing = [isinstance(part, traces.StoredTrace | traces.RoutingTrace) for part in parts]
        if not any(routing):
            traces.save(traces.concat([part.load() for part in parts]), out)
        elif all(routing):
            write(join_parts(parts), out, "joining")
        else:
            odd = files[routing.index(False)]
            raise ValueError(f"{odd}: holds no routing; only traces of one kind follow each other")
        print(f"{out}: {describe(out)}")
