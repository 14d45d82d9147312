"""Ranges of the parameters of a law.

A law is typed as ``Any`` here, because ``Law`` imports this module to check itself.
"""

import math
from typing import Any

import numpy as np

from traces.generators.popularity import LAWS
from traces.header import check_header, checked_integer

POPULARITY = (*LAWS, "dirichlet")

#: Least value of each whole number, and of each length of time in steps.
LEAST = {
    "layers": 1,
    "experts": 1,
    "top_k": 1,
    "step_tokens": 1,
    "prefill_tokens": 1,
    "domains": 1,
    "groups": 1,
    "groups_kept": 1,
    "update_steps": 1,
    "seed": 0,
}

#: Range of each other number, both ends allowed.
RANGE = {
    "skew": (0.0, 20.0),
    "affinity": (0.0, 10.0),
    "prefill_share": (0.0, 1.0),
    "mix_sigma": (0.0, 10.0),
    "mix_steps": (1e-3, math.inf),
    "drift_sigma": (0.0, 10.0),
    "drift_steps": (1e-3, math.inf),
    "shift_every": (0.0, math.inf),
    "shift_share": (0.0, 1.0),
    "burst_every": (0.0, math.inf),
    "burst_steps": (1.0, math.inf),
    "burst_factor": (1e-6, 1e6),
    # beyond, the skewed normal law of a count would fall below 0 by more than chance
    "noise": (0.0, 0.8),
    "steadiness": (0.0, 2.0),
    "layer_correlation": (0.0, 0.999),
}


def check(law: Any) -> None:
    """Raise ValueError unless every field is in its range and they fit each other."""
    for name, least in LEAST.items():
        if checked_integer(getattr(law, name), name) < least:
            raise ValueError(f"{name} = {getattr(law, name)} < {least}; give at least {least}")
    for name, (low, high) in RANGE.items():
        _check_number(name, getattr(law, name), low, high)
    check_header(law.model, law.top_k, law.experts, law.trace_phase)
    if law.experts > 2**16:
        raise ValueError(f"experts = {law.experts} > 65536; token ids have 16 bits")
    largest = max(law.step_tokens, law.prefill_tokens) * law.top_k
    if largest >= 2**31:
        raise ValueError(f"tokens * top_k = {largest} >= 2**31; give fewer tokens a step")
    if law.popularity not in POPULARITY:
        raise ValueError(f"popularity = {law.popularity!r} is not one of {', '.join(POPULARITY)}")
    if law.popularity == "dirichlet" and law.skew < 1e-3:
        raise ValueError(f"skew = {law.skew} < 0.001; a Dirichlet concentration is above that")
    _check_groups(law)
    _check_mix(law)
    _check_arrays(law)


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} = {value!r} is not a number; give one")
    if not low <= value <= high or math.isinf(value):
        raise ValueError(f"{name} = {value} is outside {low:g} <= {name} <= {high:g}, finite")


def _check_groups(law: Any) -> None:
    if law.experts % law.groups:
        raise ValueError(f"groups = {law.groups} do not divide {law.experts} experts evenly")
    if law.groups_kept > law.groups:
        raise ValueError(f"groups_kept = {law.groups_kept} > {law.groups} groups; keep fewer")
    candidates = law.experts // law.groups * law.groups_kept
    if law.top_k > candidates:
        raise ValueError(
            f"top_k = {law.top_k} > {candidates} experts of the kept groups; keep more"
        )


def _check_mix(law: Any) -> None:
    mixes = [] if law.mix is None else [("mix", law.mix)]
    if law.schedule is not None:
        if law.mix is not None:
            raise ValueError("mix and schedule are both given; give one of them")
        if not law.schedule:
            raise ValueError("schedule is empty; give stretches (steps, mix)")
        for number, stretch in enumerate(law.schedule):
            if len(stretch) != 2 or checked_integer(stretch[0], f"schedule[{number}][0]") < 1:
                raise ValueError(f"schedule[{number}] = {stretch}; give (steps >= 1, mix)")
            mixes.append((f"schedule[{number}]", stretch[1]))
    for name, mix in mixes:
        if len(mix) != law.domains:
            raise ValueError(f"{name} has {len(mix)} shares for {law.domains} domains")
        for share in mix:
            _check_number(f"a share of {name}", share, 0.0, 1e9)
        if sum(mix) <= 0:
            raise ValueError(f"{name} = {mix}; give at least one share above 0")


def _check_arrays(law: Any) -> None:
    shape = (law.layers, law.experts)
    forms = (
        ("logits", (shape, (law.domains, *shape))),
        ("bias", (shape,)),
        ("layer_variation", ((law.layers,),)),
    )
    for name, allowed in forms:
        array = getattr(law, name)
        if array is None:
            continue
        if array.shape not in allowed:
            wanted = " or ".join(map(str, allowed))
            raise ValueError(f"{name} has shape {array.shape}; give {wanted}")
        if not (np.abs(array) <= 100).all():
            bad = np.argwhere(~(np.abs(array) <= 100))[0]
            raise ValueError(
                f"{name} at {tuple(map(int, bad))} is {array[tuple(bad)]}; give numbers within 100"
            )
    if law.layer_variation is not None and np.min(law.layer_variation) < 0:
        raise ValueError(f"layer_variation is {np.min(law.layer_variation)} < 0; give factors")
