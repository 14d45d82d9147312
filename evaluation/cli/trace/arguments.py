"""Arguments and options that several commands about traces share."""

from pathlib import Path
from typing import Annotated

import typer

Trace = Annotated[str, typer.Argument(help="Trace file, or the name of a trace.", metavar="FILE")]
Traces = Annotated[
    list[str], typer.Argument(help="Trace files, or names of traces.", metavar="FILE…")
]
Out = Annotated[Path, typer.Argument(help="Trace to write (.parquet).", metavar="OUT")]

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
