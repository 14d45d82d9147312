"""Fit a law of loads to several recordings, for `podlab trace fit`."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.analysis.condition_fit import ConditionFit
    from traces import RoutingTrace
    from traces.formats.about import About
    from traces.generators.loads import LoadLaw, Modes


def is_of_conditions(source: str, form: str | None) -> bool:
    """Return whether a source is a trace of podlab whose steps are one a condition."""
    import traces

    path = Path(source)
    if form is not None or (path.exists() and path.suffix != ".parquet"):
        return False
    try:
        trace: Any = traces.open(source)
    except ValueError:
        return False  # what reads it next says what is wrong
    return isinstance(trace, traces.StoredTrace) and traces.has_conditions(trace)


def fit_conditions(
    sources: Sequence[str],
    out: Path,
    form: str | None,
    about: "About",
    seed: int,
    as_json: bool,
    law_options: dict[str, Any],
    comparison: dict[str, Any],
) -> None:
    """Write the law of several recordings, and print how they differ and how it meets them.

    Parameters
    ----------
    sources
        Recordings, or one trace of conditions.
    out
        Law to write.
    form, about
        Of files of other tools.
    seed
        Of the law's residuals.
    as_json
        Print JSON.
    law_options
        ``directions`` and ``correlation``; None for the defaults.
    comparison
        ``ranks``, ``slots`` and ``solver``.

    Raises
    ------
    ValueError, OSError
        If a file is no recording, they are of different models, or the experts do not fit.
    """
    import traces
    from evaluation.analysis.condition_fit import condition_fit
    from traces.generators import loads

    slots = comparison["slots"]
    if slots is not None and slots % comparison["ranks"]:
        raise ValueError(f"--slots {slots} do not divide over --ranks {comparison['ranks']}")
    trace = traces.read_conditions(sources, form=form, **vars(about))
    names = law_names(trace)
    recorded = dict(zip(names, trace.counts, strict=True))
    found = loads.modes(
        recorded, directions=law_options["directions"], model=trace.model, top_k=trace.top_k
    )
    correlation = law_options["correlation"]
    if correlation is None:
        correlation = _correlation(sources)
    law = found.law(sequence_correlation=correlation, seed=seed)
    ranks = comparison["ranks"]
    each = math.ceil(trace.num_experts / ranks) + 1 if slots is None else slots // ranks
    fit = condition_fit(recorded, law, ranks, each, comparison["solver"])
    loads.save(law, out)
    if as_json:
        print(json.dumps(_as_dict(found, fit, law), indent=1))
    else:
        _print(found, fit, law, out)


def law_names(trace: "RoutingTrace") -> tuple[str, ...]:
    """Return the names by which a law knows the conditions of a trace.

    A name that states phase and lengths stays. Of others, the phase goes first and the name counts
    as a domain: ``decode:chat``. Where the phase is not known either, the name stays as it is.
    """
    import traces
    from traces.generators.loads import Condition

    names = []
    for name, phase in zip(
        traces.condition_names(trace), traces.condition_phases(trace), strict=True
    ):
        try:
            Condition.parse(name)
        except ValueError:
            name = f"{phase}:{name}" if phase in ("prefill", "decode") else name
        names.append(name)
    return tuple(names)


def _correlation(sources: Sequence[str]) -> float:
    """Return the correlation of the tokens of a request: the mean of those that were measured."""
    import traces
    from traces.generators.loads.sequences import MIXED_CORRELATION, sequence_correlation

    measured = []
    for source in sources:
        if Path(source).suffix not in ("", ".parquet"):
            continue
        try:
            tokens: Any = traces.load(source, "routing")
            measured.append(sequence_correlation(tokens))
        except (ValueError, OSError, AttributeError):
            continue  # counts, or tokens without samples, do not tell
    if len(measured) == len(sources):
        return round(max(sum(measured) / len(measured), 0.0), 5)
    print(
        f"how alike tokens of one request are is not recorded: {MIXED_CORRELATION} of "
        "DeepSeek-V2-Lite is taken (--sequence-correlation)",
        file=sys.stderr,
    )
    return MIXED_CORRELATION


def _print(found: "Modes", fit: "ConditionFit", law: "LoadLaw", out: Path) -> None:
    from evaluation.analysis import condition_fit_table
    from evaluation.cli.tables import table_console

    print(f"{out}: {law!r}")
    condition_fit_table.render(found, fit, table_console())
    if law.curves:
        phases = sorted({f"{c.phase}{':' + c.domain if c.domain else ''}" for c in law.curves})
        print(f'Use it in a workload, loads = "{out}" of [routing], for {", ".join(phases)};')
    else:
        print("No name states a phase, so that no workload can use it: give --phase, or names such")
        print("as decode_in1000out500. Its conditions can be generated:")
    print(f"or podlab trace generate OUT --law {out} --condition {found.names[0]} --steps 100")


def _as_dict(found: "Modes", fit: "ConditionFit", law: "LoadLaw") -> dict[str, Any]:
    return {
        "model": found.model,
        "top_k": found.top_k,
        "variance_share": found.variance_share.tolist(),
        "directions": len(found.directions),
        "explained": found.explained,
        "by_chance": found.by_chance,
        "residual": law.residual,
        "sequence_correlation": law.sequence_correlation,
        **asdict(fit),
    }
