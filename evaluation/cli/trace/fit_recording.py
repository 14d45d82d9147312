"""Fit a law of routing to one recording, for `podlab trace fit`."""

from pathlib import Path

from traces.formats.about import About


def fit_recording(
    source: str,
    out: Path,
    form: str | None,
    about: About,
    seed: int,
    *,
    step_tokens: int | None,
    domains: int | None,
    token_kinds: int,
    frame_steps: int | None,
    window_steps: int,
) -> None:
    """Write the law of a recording, and print which of its statistics the law reproduces.

    Raises
    ------
    ValueError, OSError
        If the file is no recording, or too short for a law.
    """
    from evaluation.cli.trace.recording import print_fit, recording
    from traces import generators

    recorded = recording(source, step_tokens, token_kinds, form, about)
    if recorded.num_steps < 2:
        raise ValueError(
            f"{source} has 1 step < 2, and nothing varies; give several recordings for a law of "
            "loads by condition"
        )
    law = generators.fit(
        recorded, domains=domains, token_kinds=token_kinds, frame_steps=frame_steps, seed=seed
    )
    generators.save(law, out)
    print(f"{out}: {law!r}")
    if recorded.num_steps < window_steps:
        print(f"not compared: {recorded.num_steps} steps are no window of {window_steps}")
        return
    print_fit(recorded, law, window_steps)
