"""Domains added to a law."""

import numpy as np
import pytest

from traces.generators import loads
from traces.generators.loads import with_domains
from traces.generators.loads.sequences import DOMAIN_CORRELATION

NAMES = ("chat", "code", "translation")


def test_the_mixture_is_what_it_was():
    """Equal shares of the domains have the law's popularity, up to the totals of layers."""
    law = loads.preset("deepseek-r1")
    more = with_domains(law, NAMES)
    weights = [np.exp(more.log_popularity(f"prefill_in800:{name}")) for name in NAMES]
    assert np.mean(weights, axis=0) == pytest.approx(
        np.exp(law.log_popularity("prefill_in800")),
        rel=1e-4,  # directions have five decimals
    )
    assert more.share("prefill_in800") == pytest.approx(law.share("prefill_in800"))


def test_domains_lie_as_far_apart_as_said():
    """Log ratio of a domain and the mean of domains over the deviation of the base: within 10 %.

    One of three domains is nearer to their mean than to the mixture of many by the root of 2/3.
    """
    law = with_domains(loads.preset("deepseek-r1"), NAMES, deviation=0.5)
    logs = np.stack([law.log_popularity(f"decode_out900:{name}") for name in NAMES])
    apart = (logs - logs.mean(axis=0)).std(axis=(0, 2)).mean() / np.sqrt(2 / 3)
    assert apart / law.base.std(axis=1).mean() == pytest.approx(0.5, rel=0.1)


def test_requests_of_a_domain_are_less_alike():
    """And domains can be added one after another."""
    law = with_domains(with_domains(loads.preset("kimi-k2"), ["chat"]), ["code"])
    assert law.domains == ("chat", "code")
    assert law.sequence_correlation == DOMAIN_CORRELATION
    assert loads.distance(law.share("decode_out9:code"), law.share("decode_out9")).correlation == 1


def test_odd_domains_are_refused():
    """A name that is there, and a deviation that is none."""
    law = loads.preset("deepseek-r1")
    with pytest.raises(ValueError, match="name one twice"):
        with_domains(law, ["chat", "chat"])
    with pytest.raises(ValueError, match="deviation = -1"):
        with_domains(law, ["chat"], deviation=-1)
