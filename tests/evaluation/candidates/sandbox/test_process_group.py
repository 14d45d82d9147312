"""A process group is counted and ended as a whole."""

import subprocess
import sys

from evaluation.candidates.sandbox.process_group import kill, members


def test_all_of_a_group_are_counted_and_ended():
    """Children too; ending twice is no error."""
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
        assert members(parent.pid, most=10) == 4
        assert members(parent.pid, most=2) == 2
        kill(parent)
        kill(parent)
        assert parent.returncode == -9
        assert parent.stdout.read() == b""  # nobody holds the pipe any more
