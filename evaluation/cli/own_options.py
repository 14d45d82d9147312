"""Options of `podlab bench --trace`, the suite that they make, and its verdict."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evaluation.kinds.own import OwnSuite

PANEL = "With --trace"


def _option(help: str, **limits: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=PANEL, **limits)


Ranks = Annotated[int | None, _option("Ranks of the EP group. [default: 32]", min=1)]
Slots = Annotated[
    int | None,
    _option(
        "Expert slots of a layer over all ranks. [default: one a rank more than experts need]",
        min=1,
    ),
]
Model = Annotated[
    str | None, _option("Model preset, or a .toml file. [default: the one that the trace names]")
]
TopK = Annotated[
    int | None,
    _option("Experts per token. [default: as recorded, or those of the model]", min=1),
]
Phase = Annotated[
    str | None, _option("decode or prefill, where traces and their names do not say it.")
]
Device = Annotated[str | None, _option("Device preset. [default: ascend-910c-die]")]
Fabric = Annotated[str | None, _option("Fabric preset. [default: cloudmatrix384]")]
Dispatcher = Annotated[
    str | None, _option("Dispatcher that splits tokens across replicas. [default: even]")
]
WindowSteps = Annotated[
    int | None, _option("Engine steps from one rebalance to the next, instead of seconds.", min=1)
]
WindowS = Annotated[
    float | None,
    _option(
        "Seconds from one rebalance to the next. [default: 60, or less if a recording of steps is "
        "shorter]"
    ),
]
TokensPerRank = Annotated[
    int | None,
    _option(
        "Tokens of a step on each rank, where steps are drawn. [default: as recorded, else 96 in "
        "decode, 8192 in prefill]",
        min=1,
    ),
]
EveryCondition = Annotated[
    bool,
    typer.Option(
        "--all-conditions",
        help="Replay all conditions, not three that span them.",
        rich_help_panel=PANEL,
    ),
]


def own_suite_of(
    suite: str, files: Sequence[str] | None, out: Path, **given: Any
) -> "OwnSuite | None":
    """Return the suite on a user's recordings, and print how each is used; None without any.

    Raises
    ------
    ValueError, OSError
        If options contradict each other, or a recording cannot be judged.
    """
    from evaluation.kinds.own import OwnSetup, descriptions, own_suite

    chosen = {name: value for name, value in given.items() if value is not None}
    if not files:
        if suite == "own":
            raise ValueError("--suite own judges on your own recordings; give --trace FILE")
        for name in chosen:
            raise ValueError(f"{_named(name)} is for --trace; leave it out")
        return None
    if suite not in ("default", "own"):
        raise ValueError(f"give either --suite {suite} or --trace")
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file; give a folder")
    own = own_suite(out / "own", files, OwnSetup(**chosen))
    for line in descriptions(own):
        print(line, file=sys.stderr)
    return own


def _named(name: str) -> str:
    special = {"num_ranks": "ranks", "every_condition": "all-conditions"}
    return f"--{special.get(name, name).replace('_', '-')}"


def verdict_of(own: "OwnSuite", records: Sequence[dict[str, Any]]) -> list[str]:
    """Return the verdict, for JSON."""
    from evaluation.kinds.own import verdict

    return verdict(own, [record for record in records if record["status"] == "ok"])


def print_verdict(own: "OwnSuite", records: Sequence[dict[str, Any]]) -> None:
    """Print the verdict under the table, a paragraph for each sentence."""
    first = own.recordings[0]
    each = own.setup.slots_per_rank(first.experts)
    print(f"\nOn these recordings ({first.model}, {own.setup.num_ranks} ranks of {each} slots):")
    for line in verdict_of(own, records):
        print(f"\n{line}")
