"""Small deployments that tests plan: few requests, even experts."""

import dataclasses

from evaluation.serving.scenario import read


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
