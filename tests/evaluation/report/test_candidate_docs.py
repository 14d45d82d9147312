"""What the project knows of a candidate comes from its own source."""

import lb
from evaluation.kinds import named
from evaluation.records.record_file import ROOT
from evaluation.report.candidate_docs import candidate_docs
from evaluation.report.record_display import display_of


def test_a_solver_is_known_by_its_docstring():
    """Sentence, publication and place are those of the class."""
    result = candidate_docs(lb.SOLVERS, "greedy")
    assert result is not None
    assert result.sentence.startswith("Replicate by largest load per replica")
    assert result.references[0].text == "doi:10.1137/0117039"
    assert result.references[0].address == "https://doi.org/10.1137/0117039"
    assert result.path == "lb/solvers/greedy.py"
    lines = (ROOT / result.path).read_text().splitlines()
    assert any("class Greedy" in line for line in lines[result.line - 1 : result.line + 2])
    assert result.honours == ("rank_speed",)


def test_papers_are_found_across_lines():
    """The balancer of xDeepServe names its paper."""
    result = candidate_docs(lb.SOLVERS, "xdeepserve")
    assert result is not None
    assert "https://arxiv.org/abs/2508.02520v6" in {one.address for one in result.references}


def test_every_kind_has_a_registry():
    """Forecasters and schedulers are known too; a stage that is none has no registry."""
    assert candidate_docs(named("forecast").display.registry(""), "last") is not None
    stage = named("serving").display.registry
    assert candidate_docs(stage("job"), "round-robin") is not None
    assert candidate_docs(stage("__doc__"), "round-robin") is None
    assert candidate_docs(display_of({"kind": "novel"}).registry(""), "greedy") is None


def test_strangers_are_not_known():
    """A name that is not registered has no page of ours behind it."""
    assert candidate_docs(lb.SOLVERS, "<b>mine</b>") is None
