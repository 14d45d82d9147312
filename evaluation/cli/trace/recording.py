"""The recording that a law is fitted to, and the report on the fit."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traces.formats.about import About
    from traces.generators import Law

STEP_TOKENS = 256


def recording(
    name: str,
    step_tokens: int | None,
    token_kinds: int,
    form: str | None = None,
    about: "About | None" = None,
) -> Any:
    """Return a recording in steps; tokens that are in none are split, with a notice.

    It is read into memory where splitting or kinds of tokens need it, and if it is a file of
    another tool, which ``form`` and ``about`` are for.
    """
    import traces
    from traces.stepping import has_steps

    path = Path(name)
    if form is not None or (path.exists() and path.suffix != ".parquet"):
        trace: Any = traces.concat(list(traces.exchange.read_foreign(path, form, about)))
    else:
        trace = traces.open(name)
    if not isinstance(trace, traces.StoredTrace | traces.RoutingTrace | traces.TokenTrace):
        raise ValueError(f"{name}: holds no routing, and laws are of that")
    if has_steps(trace):
        if step_tokens is not None:
            raise ValueError(f"{name}: is in steps already; leave --step-tokens")
        whole: Any = trace
        return whole.load() if token_kinds > 1 and isinstance(trace, traces.StoredTrace) else whole
    if step_tokens is None:
        step_tokens = STEP_TOKENS
        notice = f"{name}: tokens without steps, split into steps of {STEP_TOKENS} (--step-tokens)"
        print(notice, file=sys.stderr)
    tokens: Any = trace.load() if isinstance(trace, traces.StoredTrace) else trace
    return tokens.split(step_tokens)


def print_fit(trace: Any, law: "Law", window_steps: int) -> None:
    """Print which statistics of the recording the law reproduces."""
    from evaluation.analysis.goodness_of_fit import goodness_of_fit, render
    from evaluation.cli.tables import table_console

    render(goodness_of_fit(trace, law, window_steps), table_console())
