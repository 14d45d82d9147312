"""`podlab trace generate` and `podlab trace fit`: traces by a law, and laws from recordings."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.trace_output import check_out, describe, refusing, write

if TYPE_CHECKING:
    from traces.generators import Law

#: Steps of a window in the report on a fit, as in the default suite.
WINDOW_STEPS = 8

StepTokens = Annotated[
    int | None,
    typer.Option(min=1, help="Tokens of a step, for a recording of tokens in none. [default: 256]"),
]
Domains = Annotated[
    int | None, typer.Option(min=1, help="Domains of the recording. [default: found]")
]
TokenKinds = Annotated[
    int,
    typer.Option(min=1, help="Kinds of tokens, for experts that go together as recorded; slower."),
]
WindowSteps = Annotated[int, typer.Option(min=1, help="Steps of a window in the report.")]


def generate(
    out: Annotated[Path, typer.Argument(help="The store file to write.", metavar="OUT")],
    steps: Annotated[int, typer.Option(min=1, help="How many.")],
    preset: Annotated[
        str | None, typer.Option(help="A law by its name: deepseek-v3-decode, xdeepserve-skew, …")
    ] = None,
    law: Annotated[
        Path | None, typer.Option(help="A law in a .toml file, as fit writes it.")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="A trace: fit a law to it, and say how like it is.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A field of the law, such as skew=0.8; repeatable."),
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="Steps to pass over first.")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the law's.")] = None,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Token by token, instead of counts: much slower.")
    ] = False,
    step_tokens: StepTokens = None,
    domains: Domains = None,
    token_kinds: TokenKinds = 1,
    window_steps: WindowSteps = WINDOW_STEPS,
) -> None:
    """Make a trace by a law: a named one, one from a file, or one like a recording."""
    from rich.console import Console

    with refusing():
        given = [one for one in (preset, law, like) if one is not None]
        if len(given) != 1:
            raise ValueError("give one of --preset, --law and --like")
        check_out(out, [one for one in (law, like) if one is not None])
        recorded = None if like is None else _recording(like, step_tokens, token_kinds)
        if recorded is None and (step_tokens, domains, token_kinds) != (None, None, 1):
            raise ValueError(
                "--step-tokens, --domains and --token-kinds go with --like; change a law by --set"
            )
        found = _law(preset, law, recorded, domains, token_kinds)
        found = _changed(found, change or [], seed)
        write(_pieces(found, steps, start, tokens), out, "generating")
        print(f"{out}: {describe(out)}")
        if recorded is not None:
            _report(recorded, found, window_steps, Console())


def fit(
    trace: Annotated[str, typer.Argument(help="A trace, or the name of one.", metavar="TRACE")],
    out: Annotated[Path, typer.Argument(help="The .toml file of the law.", metavar="LAW")],
    step_tokens: StepTokens = None,
    domains: Domains = None,
    token_kinds: TokenKinds = 1,
    frame_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of a frame. [default: at most 512 frames]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the law.")] = 0,
    window_steps: WindowSteps = WINDOW_STEPS,
) -> None:
    """Estimate a law from a recording, and say which of its statistics the law meets."""
    from rich.console import Console

    from traces import generators

    with refusing():
        if out.suffix != ".toml":
            raise ValueError(f"{out}: give a name that ends in .toml")
        check_out(out, [trace])
        recorded = _recording(trace, step_tokens, token_kinds)
        found = generators.fit(
            recorded,
            domains=domains,
            token_kinds=token_kinds,
            frame_steps=frame_steps,
            seed=seed,
        )
        generators.save(found, out)
        print(f"{out}: {found!r}")
        _report(recorded, found, window_steps, Console())


def _law(
    preset: str | None, law: Path | None, recorded: Any, domains: int | None, token_kinds: int
) -> "Law":
    from traces import generators

    if preset is not None:
        return generators.preset(preset)
    if law is not None:
        return generators.load(law)
    return generators.fit(recorded, domains=domains, token_kinds=token_kinds)


def _changed(law: "Law", change: list[str], seed: int | None) -> "Law":
    """Return the law with the fields that were set; each value is read as TOML, or as a word."""
    import tomllib

    from traces.generators import Law

    fields = law.as_dict()
    for text in change:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: give a field and a value, such as skew=0.8")
        try:
            fields[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            fields[name.strip()] = value.strip()
    if seed is not None:
        fields["seed"] = seed
    return Law.from_dict(fields)


def _pieces(law: "Law", steps: int, start: int, tokens: bool) -> Iterator[Any]:
    from dataclasses import replace

    from traces import generators

    provenance = {"origin": "generated by podlab trace generate", "law": repr(law)}
    draw = generators.tokens if tokens else generators.counts
    for chunk in draw(law, steps, start=start):
        yield replace(chunk, provenance={**(chunk.provenance or {}), **provenance})


def _recording(name: str, step_tokens: int | None, token_kinds: int) -> Any:
    """Return a recording in steps; tokens in none are cut into some, and this is said.

    It is read into memory where that or kinds of tokens need it.
    """
    import traces
    from traces.stepping import has_steps

    found: Any = traces.open(name)
    if not isinstance(found, traces.StoredTrace | traces.RoutingTrace):
        raise ValueError(f"{name}: holds no routing, and laws are of that")
    if has_steps(found):
        if step_tokens is not None:
            raise ValueError(f"{name}: is in steps already; leave --step-tokens")
        return found.load() if token_kinds > 1 else found
    if step_tokens is None:
        step_tokens = 256
        print(f"{name}: tokens in no steps, cut into steps of 256 (--step-tokens)", file=sys.stderr)
    tokens: Any = found.load()
    return tokens.split(step_tokens)


def _report(recorded: Any, law: "Law", window_steps: int, console: Any) -> None:
    from evaluation.analysis.goodness_of_fit import goodness_of_fit, render

    render(goodness_of_fit(recorded, law, window_steps), console)
