"""Loads that follow the traffic: the law of each domain, drawn token by token or in chunks."""

import subprocess
import sys

import numpy as np
import pytest

import traces
from tests.traces.test_requests import trace as requests
from traces import DomainRouting, RoutingTrace, TokenTrace
from traces.token_pool import SIZES

TASKS = ("intent", "summary", "translation")


@pytest.fixture(scope="module")
def recorded():
    """Three task domains of DeepSeek-V2-Lite."""
    return {task: traces.load(f"dsv2lite-{task}") for task in TASKS}


def law(trace):
    """Share of tokens that choose each expert, [layers, experts]."""
    return trace.split(trace.num_tokens).counts().counts[0] / trace.num_tokens


@pytest.mark.parametrize("pooled", [False, True])
def test_every_token_counts_top_k_times_in_every_layer(recorded, pooled):
    """Whatever the mix, also steps of no tokens; sizes above the largest chunk."""
    tokens = np.array([[0, 0, 0], [1, 0, 0], [5, 130, 2000], [17, 1, 2 * SIZES[0] + 3]])
    found = DomainRouting(recorded, pooled).counts(tokens, seed=3)
    assert isinstance(found, RoutingTrace)
    np.testing.assert_array_equal(found.step_tokens, tokens.sum(axis=1))
    assert (found.counts.sum(axis=2) == tokens.sum(axis=1)[:, None] * 6).all()
    assert found.counts.max(axis=(1, 2))[1] == 1
    assert (found.model, found.top_k, found.phase) == ("deepseek-v2-lite", 6, "prefill")
    assert found.provenance["domains"] == "intent, summary, translation"


@pytest.mark.parametrize("pooled", [False, True])
def test_a_step_has_the_mean_and_variance_of_its_mix(recorded, pooled):
    """Multinomial over recorded tokens: n p and n p (1 - p), added over domains."""
    tokens = np.tile([300, 0, 700], (1500, 1))
    counts = DomainRouting(recorded, pooled).counts(tokens, seed=1).counts
    one, two = law(recorded["intent"]), law(recorded["translation"])
    mean = 300 * one + 700 * two
    variance = 300 * one * (1 - one) + 700 * two * (1 - two)
    often = variance > 1
    deviation = (counts.mean(axis=0) - mean)[often] / (variance[often] / 1500) ** 0.5
    assert np.abs(deviation).max() < 5
    ratio = counts.var(axis=0)[often] / variance[often]
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert ratio.std() < 0.15


@pytest.mark.parametrize("pooled", [False, True])
def test_steps_are_independent(recorded, pooled):
    """Products of deviations of two steps average out."""
    tokens = np.tile([1000, 0, 0], (400, 1))
    counts = DomainRouting(recorded, pooled).counts(tokens, seed=2).counts
    share = law(recorded["intent"])
    often = share > 0.02
    scaled = ((counts - 1000 * share) / np.sqrt(1000 * share * (1 - share) + 1e-9))[:, often]
    total = (scaled.sum(axis=0) ** 2 - (scaled**2).sum(axis=0)) / (400 * 399)
    assert abs(total.mean()) < 5e-3


def test_layers_go_together_as_recorded():
    """Two kinds of tokens with different experts everywhere: counts show the same split."""
    kinds = np.zeros((10, 3, 1), dtype=int)
    kinds[5:] = 1
    routing = DomainRouting({"x": TokenTrace(kinds, 2, "toy")})
    counts = routing.counts([[100]] * 50).counts
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 0] == counts[:, 2]).all()
    assert len(np.unique(counts[:, 0, 0])) > 5


def test_imbalance_follows_the_traffic(recorded):
    """A step of one domain has its hot experts and not the other's."""
    routing = DomainRouting(recorded)
    steps = routing.counts([[4000, 0, 0], [0, 4000, 0]]).counts / 4000
    for step, task in enumerate(("intent", "summary")):
        shares = law(recorded[task])
        np.testing.assert_allclose(steps[step], shares, atol=5 * (0.25 / 4000) ** 0.5)
    assert np.abs(steps[0] - steps[1]).max() > 0.2


@pytest.mark.parametrize("pooled", [False, True])
def test_counts_alone_give_a_law(pooled):
    """A routing trace stands in for a recording of tokens."""
    drift = traces.RoutingTrace([[[10, 20, 30, 40]], [[30, 30, 0, 40]]], "toy", top_k=2)
    counts = DomainRouting({"x": drift}, pooled).counts([[1000]] * 500).counts
    np.testing.assert_allclose(counts.mean(axis=0)[0], [400, 500, 300, 800], rtol=0.01)
    assert counts.max() <= 1000


def test_seeds_decide(recorded):
    """Equal seeds give equal steps; a generator goes on."""
    routing = DomainRouting(recorded, pooled=True)
    tokens = [[100, 200, 300]]
    one, two, other = (routing.counts(tokens, seed) for seed in (0, 0, 1))
    assert one.content_hash == two.content_hash != other.content_hash
    fresh = DomainRouting(recorded, pooled=True).counts(tokens, 0)
    assert fresh.content_hash == one.content_hash
    random = np.random.default_rng(0)
    first, second = routing.draw(tokens, random), routing.draw(tokens, random)
    np.testing.assert_array_equal(first, one.counts)
    assert (first != second).any()


def test_pieces_make_the_whole(recorded, monkeypatch):
    """Bounded pieces, in order, each with its own tokens."""
    monkeypatch.setattr("traces.domain_routing.CHUNK_BYTES", 3 * 26 * 64 * 4)
    tokens = np.arange(24).reshape(8, 3)
    pieces = list(DomainRouting(recorded).pieces(tokens, seed=5))
    assert [piece.num_steps for piece in pieces] == [3, 3, 2]
    np.testing.assert_array_equal(
        np.concatenate([piece.step_tokens for piece in pieces]), tokens.sum(axis=1)
    )
    again = DomainRouting(recorded).pieces(tokens, seed=5)
    assert [piece.content_hash for piece in again] == [piece.content_hash for piece in pieces]


def test_many_draws_go_in_parts(recorded, monkeypatch):
    """A step may need more draws than are held at once."""
    routing = DomainRouting(recorded)
    monkeypatch.setattr("traces.token_pool.DRAWS", 100)
    counts = routing.counts([[250, 0, 3], [0, 0, 0], [1, 99, 120]]).counts
    assert (counts.sum(axis=2) == np.array([253, 0, 220])[:, None] * 6).all()


def test_traffic_of_requests(recorded):
    """Prompt tokens by the window in which they arrive, columns by name."""
    made = requests(domain_names=("summary", "intent"))
    found = DomainRouting(recorded).traffic(made, window_s=1.0)
    np.testing.assert_array_equal(found, [[100, 7, 0], [0, 0, 0], [120, 0, 0]])
    with pytest.raises(ValueError, match=r"domains \['chat', 'code'\] have no recording"):
        DomainRouting(recorded).traffic(requests(), 1.0)
    with pytest.raises(ValueError, match="the requests have no domains"):
        DomainRouting(recorded).traffic(requests(domain=None, domain_names=()), 1.0)
    with pytest.raises(ValueError, match=r"window_s = 0\.0 is outside"):
        DomainRouting(recorded).traffic(made, 0.0)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([[1, 2]], r"has shape \(1, 2\); give \[steps, 3\], one column for each of intent, summ"),
        (np.zeros((0, 3), int), r"has shape \(0, 3\)"),
        ([1, 2, 3], r"tokens_by_domain has shape \(3,\)"),
        ([[1, -2, 3]], "tokens_by_domain at step 0, domain 1 is -2"),
        ([[1, 2.5, 3]], r"tokens_by_domain at step 0, domain 1 is 2\.5; give integers"),
        ([[0, 0, 0], [2**30, 2**30, 0]], "step 1 has 2147483648 >= 2"),
    ],
)
def test_wrong_tokens_are_refused(recorded, tokens, text):
    """The step, the domain and how to fix it."""
    with pytest.raises(ValueError, match=text):
        DomainRouting(recorded).counts(tokens)


def test_recordings_of_other_shapes_are_refused(recorded):
    """What differs is named; none at all are too few."""
    other = {**recorded, "x": TokenTrace([[[0, 1]]], 64, "toy")}
    with pytest.raises(ValueError, match="domain 'x' has num_layers = 1, the first has 26"):
        DomainRouting(other)
    with pytest.raises(ValueError, match="traces_by_domain is empty"):
        DomainRouting({})


def test_import_leaves_numba_alone():
    """It is loaded by the first draw."""
    code = "import sys, traces; print('numba' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
