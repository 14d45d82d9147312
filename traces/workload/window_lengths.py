"""How long a window is: engine steps or seconds."""

from traces.request_checks import check_count, check_positive


def check_window(window_steps: int | None, window_s: float | None, sampled_steps: int) -> None:
    """Raise ValueError unless exactly one length is given, and all are positive."""
    if (window_steps is None) == (window_s is None):
        raise ValueError(
            f"window_steps = {window_steps}, window_s = {window_s}; give exactly one of them"
        )
    if window_steps is not None:
        check_count(window_steps, "window_steps")
    if window_s is not None:
        check_positive(window_s=window_s)
    check_count(sampled_steps, "sampled_steps")


def no_window(window_steps: int | None, window_s: float | None) -> ValueError:
    """Return the error of a stream that is shorter than one window."""
    if window_steps is not None:
        return ValueError(
            f"the stream has fewer than window_steps = {window_steps} steps; give more requests or "
            "shorter windows"
        )
    return ValueError(
        f"the stream ends within the first window_s = {window_s:g} s; give more requests or "
        "shorter windows"
    )
