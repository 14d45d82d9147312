"""What a program writes is read as it comes."""

import os

import pytest

from evaluation.candidates.sandbox.output import KEPT, Output


@pytest.fixture
def pipes():
    """Open a pipe, and close what is left of it."""
    reading, writing = os.pipe()
    yield reading, writing
    for one in (reading, writing):
        try:
            os.close(one)
        except OSError:
            continue


def test_the_end_is_kept_and_all_is_counted(pipes):
    """Without waiting for more."""
    reading, writing = pipes
    output = Output(reading, most=2000)
    assert not output.read()
    os.write(writing, b"begin\n" + b"x" * KEPT + b"\nend")
    assert not output.read()
    assert output.last.endswith("x end")
    assert "begin" not in output.last
    assert not output.flooded
    os.write(writing, b"y" * 2000)
    output.rest()
    assert output.flooded
    assert output.written == KEPT + 10 + 2000


def test_a_closed_pipe_is_noticed(pipes):
    """Once, and the rest of it is nothing."""
    reading, writing = pipes
    output = Output(reading, most=10)
    os.close(writing)
    assert output.read()
    output.rest()
    assert (output.closed, output.last) == (True, "")
