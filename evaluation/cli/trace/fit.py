"""`podlab trace fit`: a law from one recording, or a law of loads from several."""

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import options
from evaluation.cli.trace import arguments
from evaluation.cli.trace.arguments import WINDOW_STEPS
from evaluation.cli.trace.store_output import check_out
from evaluation.cli.usage_error import usage_errors


def fit(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Trace, name of a trace, or file of another tool. Several, or a trace of "
            "conditions, make a law of loads by condition.",
            metavar="TRACE…",
        ),
    ],
    out: Annotated[Path, typer.Argument(help="Law to write (.toml).", metavar="LAW")],
    form: arguments.Form = None,
    model: arguments.ModelName = "unknown",
    top_k: arguments.TopK = None,
    experts: arguments.Experts = None,
    phase: arguments.Phase = "unknown",
    seed: options.Seed = 0,
    step_tokens: arguments.StepTokens = None,
    domains: arguments.Domains = None,
    token_kinds: arguments.TokenKinds = 1,
    frame_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps per frame. [default: at most 512 frames]")
    ] = None,
    window_steps: arguments.ReportWindow = WINDOW_STEPS,
    directions: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Directions to keep, of several recordings. [default: as many as carry 98 % of "
            "the variance]",
        ),
    ] = None,
    sequence_correlation: Annotated[
        float | None,
        typer.Option(
            help="Correlation of the tokens of one request, in a law of several recordings. "
            "[default: measured where samples are recorded, else 0.055]"
        ),
    ] = None,
    ranks: Annotated[
        int | None,
        typer.Option(min=1, help="Ranks on which conditions are compared. [default: 32]"),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Expert slots of a layer over all these ranks. [default: one a rank more than "
            "experts need]",
        ),
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option(help="Solver by which conditions are compared. [default: eplb]"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the comparison of conditions as JSON.")
    ] = False,
) -> None:
    """Estimate a law of routing from a recording, or a law of loads by condition from several.

    Of one, report which of its statistics the law reproduces. Of several, report along how many
    directions they differ, and what a placement for one condition is worth in another.
    """
    from evaluation.cli.trace.fit_conditions import fit_conditions, is_of_conditions
    from evaluation.cli.trace.fit_recording import fit_recording

    of_one = {
        "--step-tokens": step_tokens is not None,
        "--domains": domains is not None,
        "--token-kinds": token_kinds != 1,
        "--frame-steps": frame_steps is not None,
        "--window-steps": window_steps != WINDOW_STEPS,
    }
    of_several = {
        "--directions": directions is not None,
        "--sequence-correlation": sequence_correlation is not None,
        "--ranks": ranks is not None,
        "--slots": slots is not None,
        "--solver": solver is not None,
        "--json": as_json,
    }
    with usage_errors():
        check_out(out, sources, (".toml",))
        about = arguments.about(model, phase, top_k, experts)
        if len(sources) > 1 or is_of_conditions(sources[0], form):
            _leave_out(of_one, "a single recording")
            law_options = {"directions": directions, "correlation": sequence_correlation}
            comparison = {"ranks": ranks or 32, "slots": slots, "solver": solver or "eplb"}
            fit_conditions(sources, out, form, about, seed, as_json, law_options, comparison)
        else:
            _leave_out(of_several, "several recordings, and one is given")
            fit_recording(
                sources[0],
                out,
                form,
                about,
                seed,
                step_tokens=step_tokens,
                domains=domains,
                token_kinds=token_kinds,
                frame_steps=frame_steps,
                window_steps=window_steps,
            )


def _leave_out(given: dict[str, bool], what: str) -> None:
    for option, is_given in given.items():
        if is_given:
            raise ValueError(f"{option} is for {what}; leave it out")
