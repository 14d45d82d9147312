"""A column writes the values of its score."""

from evaluation.leaderboard.column import Column


def test_a_heading_of_two_lines_is_a_title_of_one():
    """Line breaks are for terminals; a hyphen before one goes with it."""
    assert Column("gap", "gap to\nbest", "").title == "gap to best"
    assert Column("imbalance", "imba-\nlance", "").title == "imbalance"
    assert Column("score", "score\n", "").title == "score"


def test_a_value_is_scaled_and_formatted():
    """0.25 s in milliseconds, and both ends of an interval."""
    column = Column("step_s", "step", "", "{:.1f}", 1e3)
    assert column.text(0.25) == "250.0"
    assert Column("interval", "", "", "{:.1f} to {:.1f}", 100).text((0.1, 0.2)) == "10.0 to 20.0"


def test_nothing_measured_is_a_dash_and_words_stay():
    """A reference has no interval, but says what it is."""
    column = Column("interval", "", "", "{:.1f} to {:.1f}")
    assert column.text(None) == "–"
    assert column.text("reference") == "reference"
