"""Points with names: laid out for a wide plot and for a phone."""

from evaluation.report import scatter, theme

COLOURS = {"a": theme.COLOURS[0], "b": theme.FAINT}


def test_a_variant_is_a_symbol_and_a_candidate_a_colour():
    """Legend entries bear the symbol alone; points of faint candidates are strong enough to see."""
    pairs = [("a", "even"), ("b", "even"), ("a", "optimal")]
    even, entry, optimal, _ = scatter.points([(0, 0), (1, 1), (2, 2)], pairs, COLOURS, "%{x}")
    assert even["marker"]["color"] == [theme.COLOURS[0], theme.FAINT_POINT]
    assert even["marker"]["symbol"] != optimal["marker"]["symbol"]
    assert entry["name"] == "even"
    assert entry["marker"]["color"] == theme.FAINT_POINT


def test_one_variant_needs_no_legend():
    """Where all points are alike there is no entry."""
    (trace,) = scatter.points([(0, 0)], [("a", "")], COLOURS, "%{x}")
    assert trace["showlegend"] is False


def test_fewer_names_on_a_phone():
    """Names that fit in a wide plot do not all fit in a narrow one."""
    names = [f"candidate-{n}" for n in range(9)]
    places = [(n, 0.5) for n in range(9)]
    colours = dict.fromkeys(names, theme.FAINT)
    pairs = [(n, "") for n in names]
    (trace,) = scatter.points(places, pairs, colours, "%{x}", width=900)
    wide, narrow = trace["text"], trace["meta"]["text"]
    assert sum(map(bool, narrow)) < sum(map(bool, wide))
