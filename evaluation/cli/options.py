"""Options that several commands share, each with one help text.

An option whose default differs from command to command is given as its ``typer.Option``; a command
writes ``Annotated[str, MODEL]`` or ``Annotated[str | None, MODEL]``.
"""

from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]
Jobs = Annotated[int, typer.Option(min=1, help="Number of worker processes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Suite = Annotated[str, typer.Option(help="Bundled suite, or a .toml file.")]
Solver = Annotated[str, typer.Option(help="Registered solver, or path/to/file.py:name.")]
Dispatcher = Annotated[str, typer.Option(help="Dispatcher that splits tokens across replicas.")]

ServingScenario = Annotated[str, typer.Argument(help="Bundled serving scenario, or a .toml file.")]
Requests = Annotated[
    int | None, typer.Option(min=1, help="Use only the first N requests of the trace.")
]

At = Annotated[
    int | None,
    typer.Option(
        "--at",
        help="Window to judge, from 1; solvers see the ones before it. [default: the first after "
        "a change of mixture, else the last]",
    ),
]

StepTokens = Annotated[
    int | None, typer.Option(min=1, help="Tokens per step, for token-level traces.")
]

TimeLimit = Annotated[
    float, typer.Option(help="Time limit for one answer of a solver from a file, in seconds.")
]
MemoryLimit = Annotated[float, typer.Option(help="Memory limit of a solver from a file, in MiB.")]

Records = Annotated[Path, typer.Argument(help="Folder of records that podlab bench wrote.")]

MODEL = typer.Option(help="Model preset.")
DEVICE = typer.Option(help="Device preset.")
FABRIC = typer.Option(help="Fabric preset.")
LIBRARY = typer.Option(help="Preset of the communication library.")
DISPATCHER = typer.Option(help="Dispatcher that splits tokens across replicas.")
KV_TOKENS = typer.Option(help="Context length of each token, in tokens.")
RANKS = typer.Option(help="Ranks of the EP group.")
