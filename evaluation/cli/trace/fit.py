"""`podlab trace fit`: a law from a recording."""

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import options
from evaluation.cli.trace.arguments import (
    WINDOW_STEPS,
    Domains,
    ReportWindow,
    StepTokens,
    TokenKinds,
)
from evaluation.cli.trace.recording import print_fit, recording
from evaluation.cli.trace.store_output import check_out
from evaluation.cli.usage_error import usage_errors


def fit(
    trace: Annotated[
        str, typer.Argument(help="Trace file, or the name of a trace.", metavar="TRACE")
    ],
    out: Annotated[Path, typer.Argument(help="Law to write (.toml).", metavar="LAW")],
    step_tokens: StepTokens = None,
    domains: Domains = None,
    token_kinds: TokenKinds = 1,
    frame_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps per frame. [default: at most 512 frames]")
    ] = None,
    seed: options.Seed = 0,
    window_steps: ReportWindow = WINDOW_STEPS,
) -> None:
    """Estimate a law from a recording, and report which of its statistics the law reproduces."""
    from traces import generators

    with usage_errors():
        check_out(out, [trace], (".toml",))
        recorded = recording(trace, step_tokens, token_kinds)
        law = generators.fit(
            recorded,
            domains=domains,
            token_kinds=token_kinds,
            frame_steps=frame_steps,
            seed=seed,
        )
        generators.save(law, out)
        print(f"{out}: {law!r}")
        print_fit(recorded, law, window_steps)
