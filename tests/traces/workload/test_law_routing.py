"""Routing by a law: its domains and phases apart."""

import numpy as np
import pytest

from tests.traces.workload.streams import concurrent, small_law
from traces import generators
from traces.generators import Law
from traces.workload import ContinuousBatching, LawRouting, Workload


def shares(requests, routing, stage="decode"):
    """[layers, experts] shares of all counts."""
    total = sum(
        part.counts.sum(axis=0)
        for part in Workload(requests, routing, ContinuousBatching(4096, stage=stage)).steps()
    )
    return total / total.sum(axis=1, keepdims=True)


def test_loads_are_those_of_the_law():
    """Shares within 5 deviations of what the law generates itself: 80,000 tokens each."""
    routing = small_law()
    own = generators.trace(routing.law.replace(step_tokens=80_000), 1).counts[0] / 160_000
    found = shares(concurrent(4000, 20), routing)
    assert (np.abs(found - own) < 5 * np.sqrt(2 * own / 160_000)).all()


def test_domains_and_phases_have_laws_of_their_own():
    """Each domain alone differs from the other, and prompts from answers where told."""
    law = Law(layers=2, experts=8, top_k=1, domains=2, affinity=1.0)
    routing = LawRouting(law, prefill=law.replace(seed=9), domain_names=("a", "b"))
    first, second = (shares(concurrent(500, 40, (name,)), routing) for name in "ab")
    prompts = shares(concurrent(500, 1, ("a",), prompt=40), routing, "prefill")
    assert np.abs(first - second).max() > 0.05
    assert np.abs(first - prompts).max() > 0.05
    same = LawRouting(law, domain_names=("a", "b"))
    assert (
        np.abs(first - shares(concurrent(500, 1, ("a",), prompt=40), same, "prefill")).max() < 0.02
    )


def test_names_are_given_where_there_are_several_domains():
    """By default "domain 0" and so on; requests without domains are refused."""
    law = Law(layers=1, experts=4, top_k=1, domains=2)
    assert LawRouting(law).domain_names == ("domain 0", "domain 1")
    with pytest.raises(ValueError, match=r"match none of 2 conditions.*with_domains"):
        shares(concurrent(3, 2), LawRouting(law))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"prefill": Law(layers=2, experts=16, top_k=2)}, "layers = 2, law has 3"),
        ({"domain_names": ("a", "b")}, "give 1 different ones"),
        ({"law_step_s": 0.0}, "law_step_s"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, text):
    """The error names both sides."""
    with pytest.raises(ValueError, match=text):
        LawRouting(small_law().law, **options)
