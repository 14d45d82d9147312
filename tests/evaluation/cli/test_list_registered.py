"""`podlab list`, as a user types it."""


def test_list_shows_what_is_registered(podlab):
    """Solvers, traces and presets in one view."""
    shown = podlab("list").stdout
    for name in ("eplb", "even", "default", "dsv2lite-intent", "cloudmatrix384", "deepseek-v3"):
        assert name in shown
