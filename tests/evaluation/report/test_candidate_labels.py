"""One label means one candidate, and one address one page."""

from evaluation.report.candidate_labels import labelled, slug
from tests.evaluation.report import made


def test_a_name_is_a_label():
    """Seeds and scenarios do not make another candidate."""
    records = [made.solver(seed=seed, parameters={"seed": seed}) for seed in (0, 1)]
    assert [one["candidate"] for one in labelled(records)] == ["greedy", "greedy"]


def test_other_parameters_are_another_candidate():
    """The second parameters of a name, or another file, get a label of their own."""
    records = [
        made.solver(parameters={"rounds": 1}),
        made.solver(parameters={"rounds": 2}),
        made.solver(solver_file="f" * 64),
    ]
    labels = [one["candidate"] for one in labelled(records)]
    assert labels[0] == "greedy"
    assert len(set(labels)) == 3
    assert all(label.startswith("greedy~") for label in labels[1:])


def test_what_was_never_made_is_no_other_candidate():
    """A failure before parameters were known, and points of a curve, go by the name alone."""
    records = [
        made.failed("greedy"),
        made.solver(parameters={"rounds": 2}),
        made.solver(parameters={"rounds": 9}, anytime={"parameter": "rounds", "value": 9}),
    ]
    assert {one["candidate"] for one in labelled(records)} == {"greedy"}


def test_forecasters_and_schedulers_have_names():
    """Each kind names its candidates in its own field."""
    records = [made.forecaster("last"), made.scheduler("fcfs")]
    assert [one["candidate"] for one in labelled(records)] == ["last", "fcfs"]


def test_slugs_are_safe_and_distinct():
    """Whatever a name holds, its file is plain, short, and shared with no other name."""
    names = ["greedy", "Greedy", "gr/eedy", "../../etc", "", "<b>", "a" * 300, "a" * 301, "é"]
    names += [slug("Greedy")]
    slugs = [slug(name) for name in names]
    assert slugs[0] == "greedy"
    assert len(set(slugs)) == len(names)
    assert all(one.replace("-", "").replace("_", "").isalnum() and len(one) < 80 for one in slugs)
