"""Read a user's recordings: traces of podlab, files of other tools, traces of conditions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import traces
import traces.workload
from evaluation.kinds.own.recording import OwnRecording
from evaluation.kinds.own.setup import OwnSetup
from evaluation.kinds.own.time_halves import time_halves
from evaluation.kinds.own.window import is_replayed
from hardware import Model
from hardware.preset import available
from traces.condition_names import phase_of
from traces.exchange import read_foreign
from traces.formats.about import About

_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class _Opened:
    """A recording in memory, and the file that it is from."""

    name: str
    contents: Any
    source: str


def read(files: Sequence[str], folder: Path, setup: OwnSetup) -> list[OwnRecording]:
    """Return the recordings of all files, alike in kind; their traces go into ``folder``.

    Where some recordings are steps of an engine and others not, all are totals: conditions of one
    suite are replayed in one way.

    Raises
    ------
    ValueError, OSError
        Naming the file, if it holds no routing, two have one name, or they are of different models
        or shapes.
    """
    opened = [one for file in files for one in _opened(file, setup)]
    first: dict[str, str] = {}
    for one in opened:
        if one.name in first:
            raise ValueError(
                f"--trace: {first[one.name]} and {one.source} are both named {one.name!r}; rename "
                "one"
            )
        first[one.name] = one.source
    as_steps = all(
        isinstance(one.contents, traces.RoutingTrace) and is_replayed(one.contents, setup)
        for one in opened
    )
    made = [_recording(one, folder, setup, as_steps) for one in opened]
    kinds = {one.kind for one in made}
    if len(kinds) > 1 and "workload" in kinds:
        raise ValueError("--trace: workloads (.toml) and recordings do not mix; give one kind")
    if len(kinds) > 1:  # tokens beside counts
        made = [replace(one, kind="totals") for one in made]
    _check_alike(opened, made, setup)
    return made


def _opened(file: str, setup: OwnSetup) -> list[_Opened]:
    """Return each recording that a file holds."""
    path = Path(file)
    if path.suffix == ".toml":
        return [_Opened(path.stem, traces.workload.load(path), file)]
    trace: Any = _foreign(path, setup) if _is_foreign(path) else traces.load(file, "routing")
    if isinstance(trace, traces.RoutingTrace) and traces.has_conditions(trace):
        return [_Opened(name, part, file) for name, part in _conditions(trace)]
    if isinstance(trace, traces.TokenTrace) and trace.step is not None:
        trace = trace.counts()
    return [_Opened(_file_name(path.name if path.is_dir() else path.stem), trace, file)]


def _file_name(name: str) -> str:
    return _ODD.sub("-", name)


def _is_foreign(path: Path) -> bool:
    """Return whether a file or folder is another tool's."""
    if not path.exists() or path.suffix != ".parquet":
        return path.exists()
    try:
        traces.open(path)
    except ValueError:
        return True
    return False


def _foreign(path: Path, setup: OwnSetup) -> Any:
    top_k, experts = setup.top_k, None
    if setup.model is not None:
        preset = Model.preset(setup.model)
        top_k, experts = top_k or preset.top_k, preset.experts
    about = About(setup.model or "unknown", setup.phase or "unknown", top_k, experts)
    try:
        return traces.concat(list(read_foreign(path, None, about)))
    except ValueError as error:
        text = str(error).replace("give it (--top-k)", "give --model or --top-k")
        raise ValueError(text) from None


def _conditions(trace: traces.RoutingTrace) -> list[tuple[str, traces.RoutingTrace]]:
    assert trace.step_tokens is not None
    parts = zip(
        traces.condition_names(trace),
        traces.condition_phases(trace),
        trace.counts,
        trace.step_tokens,
        strict=True,
    )
    return [
        (
            _file_name(name),
            traces.RoutingTrace(counts[None], trace.model, trace.top_k, phase, np.array([tokens])),
        )
        for name, phase, counts, tokens in parts
    ]


def _recording(one: _Opened, folder: Path, setup: OwnSetup, as_steps: bool) -> OwnRecording:
    if isinstance(one.contents, traces.RoutingTrace):
        return _of_counts(one, folder, setup, as_steps)
    if isinstance(one.contents, traces.TokenTrace):
        return _of_tokens(one, folder, setup)
    return _of_workload(one, setup)


def _of_workload(one: _Opened, setup: OwnSetup) -> OwnRecording:
    workload = one.contents
    if isinstance(workload, traces.workload.Workload):
        routing: Any = workload.routing
        phase = "prefill" if workload.batching.stage == "prefill" else "decode"
    else:
        routing = workload.recording
        phase = "prefill" if routing.phase == "prefill" else "decode"
    return OwnRecording(
        one.name,
        Path(one.source).resolve(),
        "workload",
        phase,
        setup.model or routing.model,
        workload.num_layers,
        workload.num_experts,
        routing.top_k,
    )


def _of_tokens(one: _Opened, folder: Path, setup: OwnSetup) -> OwnRecording:
    trace = one.contents
    walked = trace.sample_lengths is not None and len(trace.sample_lengths) >= 2
    load = trace.split(trace.num_tokens).counts().counts[0].astype(np.int64)
    made = _made(one, folder, setup, "tokens" if walked else "totals", load)
    if walked:
        return made
    note = "it does not say where its sequences end: tokens are drawn one by one from its shares"
    return replace(made, notes=(*made.notes, note))


def _of_counts(one: _Opened, folder: Path, setup: OwnSetup, as_steps: bool) -> OwnRecording:
    trace = one.contents
    load = trace.counts.sum(axis=0, dtype=np.int64)
    _check_load(one.source, load, trace.top_k, is_drawn=not as_steps)
    gaps = None if trace.time_s is None else np.diff(trace.time_s)
    made = replace(
        _made(one, folder, setup, "steps" if as_steps else "totals", load),
        steps=trace.num_steps,
        step_tokens=float(trace.step_tokens.mean()),
        step_s=float(np.median(gaps)) if gaps is not None and gaps.any() else None,
        duration_s=0.0 if gaps is None else float(gaps.sum()),
    )
    return made if as_steps else time_halves(made, trace)


def _made(one: _Opened, folder: Path, setup: OwnSetup, kind: str, load: Any) -> OwnRecording:
    """Return a recording that is saved in the folder."""
    trace = one.contents
    path = folder / f"{one.name}.parquet"
    traces.save(trace, path)
    phase, notes = _phase(one.name, trace.phase, setup)
    return OwnRecording(
        one.name,
        path,
        kind,
        phase,
        setup.model or trace.model,
        trace.num_layers,
        trace.num_experts,
        trace.top_k,
        load=load,
        notes=notes,
    )


def _phase(name: str, recorded: str, setup: OwnSetup) -> tuple[str, tuple[str, ...]]:
    found = phase_of(name, recorded)
    if found in ("prefill", "decode"):
        return found, ()
    if setup.phase is not None:
        return setup.phase, ()
    return "decode", (f"its phase is {found}: it is priced as decode (--phase)",)


def _check_load(source: str, load: Any, top_k: int, is_drawn: bool) -> None:
    """Raise ValueError unless layers have loads, and no expert that is drawn has all tokens."""
    total = load.sum(axis=1)
    if total.min() == 0:
        layer = int(total.argmin())
        raise ValueError(f"{source}: layer {layer} has no load; leave dense layers out")
    chance = load * top_k / total[:, None]
    if is_drawn and chance.max() > 1 + 1e-9:
        layer, expert = map(int, np.unravel_index(int(chance.argmax()), chance.shape))
        raise ValueError(
            f"{source}: expert {expert} of layer {layer} has {chance.max():.2f} > 1 of the tokens "
            f"with top_k = {top_k}; give the right --top-k, and leave shared experts out"
        )


def _check_alike(opened: list[_Opened], made: list[OwnRecording], setup: OwnSetup) -> None:
    """Raise ValueError unless all recordings are of one model, which podlab knows."""
    first = made[0]
    for source, one in zip(opened, made, strict=True):
        for name in ("model", "layers", "experts", "top_k"):
            wanted, found = getattr(first, name), getattr(one, name)
            if wanted != found:
                raise ValueError(
                    f"{source.source}: {name} = {found!r} differs from {wanted!r} of "
                    f"{opened[0].source}; conditions are recordings of one model"
                )
    _check_model(opened[0].source, first, setup)


def _check_model(source: str, first: OwnRecording, setup: OwnSetup) -> None:
    names = available("models")
    if setup.model is None and first.model not in names:
        alike = [
            name
            for name in names
            if (Model.preset(name).experts, Model.preset(name).top_k)
            == (first.experts, first.top_k)
        ]
        raise ValueError(
            f"{source} was recorded on {first.model!r}, which is no preset; give --model, such as "
            f"{', '.join(alike) or 'a .toml file of your own'}"
        )
    model = Model.preset(first.model)
    for name, recorded, wanted in (
        ("experts", first.experts, model.experts),
        ("top_k", first.top_k, model.top_k),
    ):
        if recorded != wanted:
            raise ValueError(
                f"{source} has {name} = {recorded}, the model {first.model} has {wanted}; give the "
                "--model that it was recorded on"
            )
    if first.layers > model.moe_layers:
        raise ValueError(
            f"{source} has {first.layers} layers > {model.moe_layers}, the MoE layers of "
            f"{first.model}; give the --model that it was recorded on"
        )
