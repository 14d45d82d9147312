"""The output of a program is read without waiting, and its end is kept."""

import os

import pytest

from evaluation.candidates.sandbox.output import KEPT_BYTES, ProgramOutput


@pytest.fixture
def pipes():
    """Open a pipe, and close its ends after the test."""
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_the_end_is_kept_and_all_is_counted(pipes):
    """All bytes count towards the limit; only the last ones are kept.

    "begin", "end" and two line breaks are 10 bytes.
    """
    reading, writing = pipes
    output = ProgramOutput(reading, limit_bytes=2000)
    assert not output.read()
    os.write(writing, b"begin\n" + b"x" * KEPT_BYTES + b"\nend")
    assert not output.read()
    assert output.last.endswith("x end")
    assert "begin" not in output.last
    assert not output.exceeds_limit
    os.write(writing, b"y" * 2000)
    output.read_rest()
    assert output.exceeds_limit
    assert output.written == KEPT_BYTES + 10 + 2000


def test_a_closed_pipe_is_noticed(pipes):
    """After the program has closed the pipe, there is nothing to read."""
    reading, writing = pipes
    output = ProgramOutput(reading, limit_bytes=10)
    os.close(writing)
    assert output.read()
    output.read_rest()
    assert (output.closed, output.last) == (True, "")
