"""Preset laws of loads by name.

Of DeepSeek-R1 moments of the loads were measured, and DeepSeek-V2-Lite has the loads of bundled
recordings. Of Qwen3-235B, Kimi-K2 and gpt-oss-120b sizes are the model's own, and shape and
coefficients are those of DeepSeek-R1, for want of published recordings: what differs between them
is what size and top_k make of it, and no statement about these models.
"""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from traces.generators.loads.deepseek_r1 import SHAPE, deepseek_r1, r1_like
from traces.generators.loads.law import LoadLaw

SAMPLES = Path(__file__).parents[2] / "samples"


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


def gpt_oss_120b() -> LoadLaw:
    """Return DeepSeek-R1's law in the size of gpt-oss-120b: 36 layers of 128 experts, top-4.

    No load is published. What is reported: its routing is "significantly imbalanced", so that
    expert parallelism that evens it out is 1.9 times as fast (LLEP, arXiv:2601.17111). Without
    group-limited routing no block of experts is alike, an assumption as for Kimi-K2.
    """
    return r1_like("gpt-oss-120b", 36, 128, 4, replace(SHAPE, block_share=0.0), blocks=1)


def deepseek_v2_lite() -> LoadLaw:
    """Return the law of the bundled recordings: 26 layers of 64 experts, top-6, three domains.

    Conditions are ``prefill:intent``, ``prefill:summary`` and ``prefill:translation``; lengths do
    not matter, since each domain was recorded at lengths of its own.
    """
    from traces.generators.loads.modes import modes
    from traces.generators.loads.sequences import DOMAIN_CORRELATION
    from traces.store import StoredTrace

    # traces.load would import the generated traces, which are made from presets
    tasks = ("intent", "summary", "translation")
    recorded = {
        f"prefill:{task}": StoredTrace(SAMPLES / f"dsv2lite-{task}.parquet") for task in tasks
    }
    return modes(recorded, directions=2).law(sequence_correlation=DOMAIN_CORRELATION)


#: Name to the function that returns the law.
PRESETS: dict[str, Callable[[], LoadLaw]] = {
    "deepseek-r1": deepseek_r1,
    "deepseek-v2-lite": deepseek_v2_lite,
    "gpt-oss-120b": gpt_oss_120b,
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
