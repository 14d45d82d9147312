"""Preset laws: published skews, and the shapes of two large models.

Each preset says in its function what is published and what is assumed; tests hold the published
numbers.
"""

from collections.abc import Callable
from difflib import get_close_matches
from statistics import NormalDist
from typing import Any

import numpy as np

from traces.generators.law import Law


def xdeepserve_skew() -> Law:
    """Return the skew of xDeepServe's figure 11a, in every layer of DeepSeek-V3.

    Published (arXiv:2508.02520, section 4.5, one layer of DeepSeek-R1 on ShareGPT): a fifth of the
    experts above the mean, the hottest about 30 times it. The tokens are those of its EP288
    deployment, 288 dies of 60. Assumed: logits are normal quantiles with deviation 2, those of the
    heaviest expert 0.75 above its quantile (30 times the mean is 94 % of all tokens); which expert
    is how hot is independent in every layer; nothing drifts.
    """
    rank = NormalDist().inv_cdf
    logits = 2 * np.array([rank(1 - (n + 0.5) / 256) for n in range(256)])
    logits[0] += 0.75
    places = np.random.default_rng(11).permuted(np.tile(np.arange(256), (58, 1)), axis=1)
    return _deepseek(step_tokens=17_280, logits=np.round(logits, 4)[places])


def tensorrt_llm_ep32() -> Law:
    """Return the imbalance that TensorRT-LLM measured at EP32, in every layer of DeepSeek-V3.

    Published (TensorRT-LLM's blog on large-scale EP, part 1; DeepSeek-R1, 256 tokens a rank): the
    fullest expert is 10.95 and the fullest rank, of 8 experts in order, 1.564 times the mean above
    the mean. Assumed: Zipf's law, in every layer with another order; nothing drifts. One exponent
    meets the two within 8 %.
    """
    return _deepseek(step_tokens=32 * 256, skew=0.65)


def deepseek_v3_decode() -> Law:
    """Return decode of DeepSeek-V3 with group-limited routing, over four domains that come and go.

    Shape, 8 groups of which 4 are kept: arXiv:2412.19437; tokens as in :func:`xdeepserve_skew`.
    Everything else is assumed: a step stands for many engine steps (``law_step_s`` of a workload),
    and within 256 of them shares wander, one domain in about 64 steps bursts, logits drift, and
    abrupt shifts exchange a tenth of the experts. That popular experts vary less is what fits of
    the bundled recordings say.
    """
    return _deepseek(step_tokens=17_280, groups=8, groups_kept=4, **_LIVELY)


def kimi_k2_decode() -> Law:
    """Return the same for the shape of Kimi-K2: 60 layers of 384 experts, one group, top-8."""
    return Law(60, 384, 8, "kimi-k2", step_tokens=17_280, **_LIVELY)


def deepseek_r1_decode() -> Law:
    """Return decode of DeepSeek-R1 as it was measured, in a steady state.

    Loads are those of :mod:`traces.generators.loads.deepseek_r1` for 1,000 prompt and 1,000 output
    tokens. A step is one of the engine: a token of each of 17,280 requests, as in
    :func:`xdeepserve_skew`. Loads wander as requests end and others begin.
    """
    from traces.generators import loads

    return loads.routing_law(
        loads.preset("deepseek-r1"),
        ["decode_in1000out1000"],
        requests=17_280,
        request_steps=1000,
        step_tokens=17_280,
        phase="decode",
    )


def deepseek_r1_prefill() -> Law:
    """Return prefill of DeepSeek-R1 as it was measured, with prompts of 1,024 tokens.

    A step has 32 ranks of 16,384 tokens, 512 prompts; every step has other prompts. So many
    tokens a rank are an assumption.
    """
    from traces.generators import loads

    return loads.routing_law(
        loads.preset("deepseek-r1"),
        ["prefill_in1024"],
        requests=512,
        request_steps=0.1,
        step_tokens=32 * 16_384,
        phase="prefill",
        update_steps=1,
    )


_LIVELY: dict[str, Any] = {
    "popularity": "lognormal",
    "skew": 0.8,
    "domains": 4,
    "affinity": 0.6,
    "mix": (0.4, 0.3, 0.2, 0.1),
    "mix_sigma": 0.5,
    "mix_steps": 64.0,
    "drift_sigma": 0.3,
    "drift_steps": 64.0,
    "shift_every": 192.0,
    "shift_share": 0.1,
    "burst_every": 64.0,
    "burst_steps": 16.0,
    "noise": 0.05,
    "steadiness": 0.3,
    "update_steps": 8,
}


def _deepseek(**fields: Any) -> Law:
    return Law(58, 256, 8, "deepseek-v3", **fields)


#: Name to the function that returns the law.
PRESETS: dict[str, Callable[[], Law]] = {
    "deepseek-r1-decode": deepseek_r1_decode,
    "deepseek-r1-prefill": deepseek_r1_prefill,
    "deepseek-v3-decode": deepseek_v3_decode,
    "kimi-k2-decode": kimi_k2_decode,
    "tensorrt-llm-ep32": tensorrt_llm_ep32,
    "xdeepserve-skew": xdeepserve_skew,
}


def preset(name: str) -> Law:
    """Return the law of that name.

    Raises
    ------
    ValueError
        If there is none; the nearest name is suggested.
    """
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, 1, 0.0)[0]
        raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)} (nearest: {near})")
    return PRESETS[name]()
