"""Small deployments that tests plan: few requests, even experts."""

import dataclasses

from evaluation.serving.scenario.scenario import read


def busy(**changed):
    """Return the hurried scenario with some keys changed."""
    return dataclasses.replace(read("azure-busy"), **changed)


def generated(rate, prompt, output, count=8, **changed):
    """Return the hurried scenario with generated requests that are alike."""
    generate = {
        "requests": count,
        "prompt_tokens": prompt,
        "output_tokens": output,
        "rate": float(rate),
    }
    return busy(trace="generated", generate=generate, rate_factor=1.0, **changed)


def small(rate, prompt=512, output=32, **changed):
    """Return requests that are alike for OLMoE, on four dies each of prefill and decode.

    A host's gap of 100 ms makes steps few, so that a minute is played in half a second; the SLO
    allows 130 ms a token.
    """
    scenario = generated(rate, prompt, output, model="olmoe-1b-7b", tpot_s=0.13, **changed)
    alike = {"dies": 4, "count": 1, "dies_per_group": 1, "slots_per_rank": 16, "drafts": 0}
    tables = (dataclasses.replace(one, host_s=0.1, **alike) for one in scenario.executor)
    return dataclasses.replace(scenario, executor=tuple(tables))
