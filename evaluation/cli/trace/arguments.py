"""Arguments and options that several commands about traces share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traces.formats.about import About

Trace = Annotated[str, typer.Argument(help="Trace file, or the name of a trace.", metavar="FILE")]
Traces = Annotated[
    list[str], typer.Argument(help="Trace files, or names of traces.", metavar="FILE…")
]
Out = Annotated[Path, typer.Argument(help="Trace to write (.parquet).", metavar="OUT")]

Form = Annotated[
    str | None, typer.Option("--format", help="One of `podlab trace formats`. [default: detected]")
]
ModelName = Annotated[
    str, typer.Option("--model", help="Name of the model; a preset also says top-k and experts.")
]
TopK = Annotated[
    int | None, typer.Option(min=1, help="Experts per token, where the source does not say.")
]
Experts = Annotated[
    int | None, typer.Option(min=1, help="Experts per layer, where the source does not say.")
]
Phase = Annotated[
    str, typer.Option(help="prefill, decode, mixed or unknown, where the source does not say.")
]

Domains = Annotated[
    int | None, typer.Option(min=1, help="Domains of the recording. [default: detected]")
]
TokenKinds = Annotated[
    int,
    typer.Option(min=1, help="Kinds of tokens; more keep the recorded co-activation, but slower."),
]
StepTokens = Annotated[
    int | None, typer.Option(min=1, help="Tokens per step, for token-level traces. [default: 256]")
]
ReportWindow = Annotated[int, typer.Option(min=1, help="Steps per window in the report.")]
#: Steps per window in the report on a fit, as in the default suite.
WINDOW_STEPS = 8


def about(model: str, phase: str, top_k: int | None, experts: int | None) -> "About":
    """Return what the user says of files of other tools; a preset of the model fills in the rest.

    Raises
    ------
    ValueError
        If the phase is unknown.
    """
    from hardware import Model
    from hardware.preset import available
    from traces.formats.about import About
    from traces.header import PHASES

    if phase not in PHASES:
        raise ValueError(f"--phase {phase} is not one of {', '.join(PHASES)}")
    if model in available("models"):
        preset = Model.preset(model)
        top_k, experts = top_k or preset.top_k, experts or preset.experts
    return About(model, phase, top_k, experts)
