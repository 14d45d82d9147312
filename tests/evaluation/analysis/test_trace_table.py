"""Statistics on the screen."""

import numpy as np
from rich.console import Console

import traces
from evaluation.analysis import trace_table
from traces.statistics import summarise

CONSOLE = Console(width=trace_table.WIDTH)


def counts(tokens=3):
    """Return an even trace."""
    return summarise(traces.RoutingTrace(np.full((4, 2, 8), tokens), "toy", 1, "decode"), 2)


def test_in_a_line():
    """Shape, steps and windows."""
    assert trace_table.describe_trace(counts()) == (
        "toy, decode, 2 layers of 8 experts, top-1; 4 steps of 24 tokens; 2 windows of 2 steps"
    )


def test_uneven_steps_and_cut_ones():
    """The range of tokens is said, and that steps are no recorded ones."""
    uneven = traces.RoutingTrace([[[1, 0]], [[1, 2]]], "toy", 1)
    assert "2 steps of 2 (1 to 3) tokens; 2 windows of one step" in trace_table.describe_trace(
        summarise(uneven)
    )
    tokens = traces.TokenTrace(np.zeros((6, 1, 1), int), 2, "toy")
    assert "3 steps of 2 tokens, cut so here" in trace_table.describe_trace(
        summarise(tokens, step_tokens=2)
    )


def test_a_column_a_trace_and_differences(capsys):
    """What is not known is a dash; of a third trace nothing is subtracted from itself."""
    skewed = summarise(traces.RoutingTrace([[[6, 2]]] * 2, "toy", 1))
    trace_table.render({"one": skewed, "two": counts(), "base": counts(5)}, "base", False, CONSOLE)
    result = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in result.splitlines() if line.strip()}
    assert rows["hottest"][1:6] == ["1.500", "+0.500", "1.000", "+0.000", "1.000"]
    assert rows["persistence_8"][1:6] == ["–"] * 5
    assert result.count("differs by") == 2


def test_by_layer(capsys):
    """A row a layer, with the columns that the trace has."""
    trace_table.render({"one": counts()}, None, True, CONSOLE)
    result = capsys.readouterr().out
    table = result[result.index("layer  hottest") :].splitlines()
    assert len(table) == 3
    assert "coupling" not in table[0]


def test_windows_of_different_sizes_are_said():
    """Drift does not compare then; windows alike need no words."""
    assert trace_table.window_note({"one": counts(), "two": counts()}) == ""
    note = trace_table.window_note({"one": counts(), "two": counts(5)})
    assert note.startswith("Windows of 48, 80 tokens")
