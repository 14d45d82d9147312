"""Preset laws of loads by name.

Of DeepSeek-R1 the loads were measured. Of the others sizes are the model's own, and shape and
coefficients are those of DeepSeek-R1, for want of published recordings: what differs between them
is what size and top_k make of it, and no statement about these models.
"""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches

from traces.generators.loads.deepseek_r1 import SHAPE, deepseek_r1, r1_like
from traces.generators.loads.law import LoadLaw


def qwen3_235b() -> LoadLaw:
    """Return DeepSeek-R1's law in the size of Qwen3-235B: 94 layers of 128 experts, top-8.

    Published (plumb-moe, GB200 results): the fullest of 4 ranks, of 32 experts each, has 1.333
    times the mean load, with prompts of 512 tokens and 1 token of output. So blocks of 32 experts
    are alike, but less than DeepSeek-R1's groups: ``block_share`` meets the figure.
    """
    shape = replace(SHAPE, block_share=0.22)
    return r1_like("qwen3-235b-a22b", 94, 128, 8, shape, blocks=4)


def kimi_k2() -> LoadLaw:
    """Return DeepSeek-R1's law in the size of Kimi-K2: 60 layers of 384 experts, top-8, one group.

    No load is published. Without group-limited routing no block of experts is alike.
    """
    return r1_like("kimi-k2", 60, 384, 8, replace(SHAPE, block_share=0.0), blocks=1)


#: Name to the function that returns the law.
PRESETS: dict[str, Callable[[], LoadLaw]] = {
    "deepseek-r1": deepseek_r1,
    "kimi-k2": kimi_k2,
    "qwen3-235b": qwen3_235b,
}


def preset(name: str) -> LoadLaw:
    """Return the law of loads of that name.

    Raises
    ------
    ValueError
        If there is none; the nearest name is suggested.
    """
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, 1, 0.0)[0]
        raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)} (nearest: {near})")
    return PRESETS[name]()
