"""Records are picked and averaged before anything is drawn."""

from evaluation.report import panel_data, theme
from evaluation.report.candidate_labels import labelled
from tests.evaluation.report import made


def test_the_best_comes_first():
    """Candidates are in order of the score that ranks; failed ones have none."""
    records = labelled([*made.suite(), made.failed()])
    assert panel_data.order(panel_data.finished(records)) == [
        "robust",
        "greedy",
        "contiguous",
    ]


def test_a_colour_is_one_candidates():
    """The first few have a colour each, the rest is faint."""
    many = labelled([made.solver(f"s{n:02}", quality=0.9 - 0.01 * n) for n in range(10)])
    colours = panel_data.colours(many)
    assert [colours[f"s{n:02}"] for n in range(7)] == list(theme.COLOURS[:7])
    assert {colours[f"s{n:02}"] for n in range(7, 10)} == {theme.FAINT}


def test_who_has_no_score_has_a_colour():
    """A candidate without the score that ranks is faint, and no error."""
    odd = made.solver("odd", scores={"step_s": 1.0})
    assert panel_data.colours(labelled([made.solver(), odd]))["odd"] == theme.FAINT


def test_places_are_scenario_and_variant():
    """Every scenario and dispatcher has its candidates, the best first."""
    result = panel_data.by_scenario(labelled(made.suite()))
    assert list(result) == [(s, d) for s in ("calm", "shift") for d in ("even", "optimal")]
    assert list(result["calm", "even"]) == ["robust", "greedy", "contiguous"]


def test_lists_are_averaged_position_by_position():
    """Two seeds make a mean list, as long as the shorter of them."""
    records = [{"windows": {"a": [1.0, 2.0, 9.0]}}, {"windows": {"a": [3.0, 4.0]}}, {}]
    assert panel_data.mean_list(records, "windows", "a") == [2.0, 3.0]
    assert panel_data.mean_list(records, "windows", "b") == []


def test_scenarios_count_alike():
    """A scenario with more seeds has no more weight in the mean."""
    records = labelled(
        [
            *(made.solver(seed=seed, quality=0.9) for seed in range(3)),
            made.solver(scenario="shift", quality=0.5),
        ]
    )
    table = panel_data.over_scenarios(records, ("efficiency", "unknown"))
    assert table == {("greedy", "even"): {"efficiency": 0.7}}


def test_means_need_every_scenario():
    """Who ran in one of two scenarios has no mean that compares."""
    records = labelled([*made.suite(), made.solver("late")])
    pairs = panel_data.over_scenarios(records, ("efficiency",))
    assert ("late", "even") not in pairs
    assert ("greedy", "even") in pairs
