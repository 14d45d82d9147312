"""`podlab check`, as a user types it."""


def test_check_lists_what_fails(podlab, tmp_path):
    """A solver that does not conform exits with 1 and the failed claims."""
    (tmp_path / "own.py").write_text("def bad(problem):\n    return None\n")
    check = podlab("check", "own.py:bad")
    assert check.returncode == 1
    assert "check_feasible failed" in check.stderr
