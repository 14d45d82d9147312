"""One table for suites of all kinds: it fits its window and says what it leaves out."""

import io

from rich.console import Console

from evaluation.leaderboard import table
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.table import Leaderboard, Note, TableLine

SCORE = Column("score", "score\n", "", "{:.2f}")
SPEED = Column("speed", "speed of\nit all", "", "{:.0f}", hide=1)
SIZE = Column("size", "size\n", "", "{:.0f}", hide=2)
COLUMNS = (SCORE, SPEED, SIZE)
BEST = TableLine(1, "best", "even", {"score": 0.9, "speed": 3.0, "size": 7.0})
SECOND = TableLine(2, "second", "even", {"score": 0.8, "speed": 4.0, "size": 8.0})


def shown(*lines, columns=COLUMNS, notes=(), width=80, variant="dispatcher"):
    """Return whether any was ranked, and the lines of text."""
    out = io.StringIO()
    board = Leaderboard("solver", variant, columns, lines, notes)
    ranked = table.render(board, "title", Console(file=out, width=width))
    return ranked, out.getvalue().splitlines()


def rows(lines):
    """Return the words of the lines that have a number of two places."""
    return [line.split() for line in lines if "0." in line]


def test_lines_have_rank_name_and_values():
    """In the order of the board, each value in the format of its column."""
    ranked, text = shown(BEST, SECOND)
    assert ranked
    assert rows(text) == [["1", "best", "0.90", "3", "7"], ["2", "second", "0.80", "4", "8"]]


def test_variants_are_shown_where_there_are_several():
    """One dispatcher for all is no column."""
    other = TableLine(2, "best", "optimal", {"score": 0.8})
    assert not any("dispatcher" in line for line in shown(BEST, SECOND)[1])
    assert rows(shown(BEST, other)[1])[1][:3] == ["2", "best", "optimal"]


def test_ranks_of_a_stage_are_grouped_by_stage():
    """The name of the stage appears once, before the lines of its group."""
    column = Column("score", "score\n", "", "{:.2f}", within_variant=True)
    lines = [TableLine(1, "a", "job", {"score": 0.9}), TableLine(2, "b", "job", {"score": 0.8})]
    lines.append(TableLine(1, "c", "batch", {"score": 0.7}))
    _, text = shown(*lines, columns=(column,), variant="stage")
    assert rows(text) == [
        ["job", "1", "a", "0.90"],
        ["2", "b", "0.80"],
        ["batch", "1", "c", "0.70"],
    ]
    assert not any("share a rank" in line for line in text)


def test_shared_ranks_are_explained():
    """Two rows share rank 1."""
    _, text = shown(BEST, TableLine(1, "equal", "even", {"score": 0.9}))
    assert text[-1] == "A rank is 1 + the number of rows that are significantly better."
    assert not any("share a rank" in line for line in shown(BEST, SECOND)[1])


def test_a_narrow_window_hides_columns_and_says_which():
    """The column of the highest order goes first; the score stays however narrow it is."""
    _, text = shown(BEST, width=26)
    assert rows(text) == [["1", "best", "0.90", "3"]]
    assert " ".join(text[-2:]) == "hidden in a narrow window: size"
    _, text = shown(BEST, width=15)
    assert rows(text) == [["1", "best", "0.90"]]
    assert "size, speed of it all" in " ".join(" ".join(text).split())


def test_columns_of_one_scenario_are_left_out_of_means_over_several():
    """Latencies of different scenarios have no common mean."""
    columns = (SCORE, Column("ttft", "TTFT", "", scenarios="one"))
    columns += (Column("scenarios", "of", "", "{:.0f}", scenarios="several"),)
    for count, words in ((1, ["1", "a", "0.90", "0.200"]), (3, ["1", "a", "0.90", "3"])):
        line = TableLine(1, "a", "", {"score": 0.9, "ttft": 0.2, "scenarios": count})
        assert rows(shown(line, columns=columns)[1]) == [words]


def test_a_line_that_is_not_ranked_is_empty_where_it_has_no_value():
    """A ranked one has a dash there."""
    bound = TableLine(None, "bound", "", {"score": 1.0})
    _, text = shown(TableLine(1, "a", "", {"score": 0.9}), bound, columns=(SCORE, SPEED))
    assert [line.split() for line in text[-2:]] == [["1", "a", "0.90", "–"], ["bound", "1.00"]]


def test_notes_are_below_the_table():
    """The result says that no candidate is ranked, and the notes are printed."""
    note = Note("failed: x on one: ValueError: no", "red")
    ranked, text = shown(BEST, notes=(note,))
    assert (ranked, text[-1]) == (True, note.text)
    assert shown(notes=(note,)) == (False, [note.text])
