"""A process group is counted and killed as a whole."""

import subprocess
import sys

from evaluation.candidates.sandbox.process_group import count_members, kill


def test_all_processes_of_a_group_are_counted_and_killed():
    """Children count, too, and a second kill is no error.

    The parent and three forks are four processes.
    """
    code = (
        "import os, time\n"
        "for _ in range(3): os.fork() or time.sleep(60)\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    with parent:
        assert parent.stdout.readline() == b"up\n"
        assert count_members(parent.pid, most=10) == 4
        assert count_members(parent.pid, most=2) == 2
        kill(parent)
        kill(parent)
        assert parent.returncode == -9
        assert parent.stdout.read() == b""  # nobody holds the pipe any more
