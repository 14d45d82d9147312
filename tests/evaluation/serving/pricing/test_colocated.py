"""The fast price of a colocated step: what the step executor says, and how it answers to work."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evaluation
import lb
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.options import PriceOptions
from evaluation.serving.pricing.work import Work
from evaluation.step.engine_step import engine_step
from evaluation.step.executor import StepExecutor
from evaluation.validation import predictions
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from hardware.faults import Jitter
from tests.evaluation.serving.loads import even

ANCHORS = Path(evaluation.__file__).parent / "validation" / "anchors" / "xdeepserve.toml"
MODEL = Model.preset("deepseek-v3")
DEVICE = Device.preset("ascend-910c-die")
FABRIC = Fabric.preset("cloudmatrix384", 32)
PLACEMENT = lb.Placement(np.tile(np.arange(288) % 256, (3, 1)), 32)
LOAD = even(3, 256, 8)


@dataclass
class Skewed:
    """Counts of Zipf's law, the same in every step."""

    num_layers: int
    num_experts: int
    top_k: int
    num_conditions: int = 1

    def __call__(self, tokens, time_s, random):
        """Return rounded counts."""
        chance = 1 / np.arange(1, self.num_experts + 1) ** 0.7
        counts = tokens.sum() * self.top_k * chance / chance.sum()
        return np.tile(counts.round(), (self.num_layers, 1)).astype(np.int32)


class Hot(Skewed):
    """One expert has 1 / 0.56 of the mean load, the others share the rest alike."""

    def __call__(self, tokens, time_s, random):
        """Return rounded counts."""
        mean = tokens.sum() * self.top_k / self.num_experts
        counts = np.full((self.num_layers, self.num_experts), mean)
        counts[:, 0] /= 0.56
        counts[:, 1:] -= (counts[:, :1] - mean) / (self.num_experts - 1)
        return counts.round().astype(np.int32)


def _executor(jitter=None, *, contention=False, drafts=1, model=MODEL, phase="decode", **operators):
    collectives = Collectives(FABRIC, model, Library.preset("xccl"), contention)
    return StepExecutor(
        Operators(DEVICE, model, **operators), collectives, 3072.0, phase, drafts, jitter
    )


def _work(sequences, context=3072.0, prompts=0.0, groups=32, drafts=1):
    """Return the work of groups that each have so many sequences, of so much context each."""
    one = np.ones(groups)
    sequences, prompts = sequences * one, prompts * one
    tokens = np.array([(sequences * (1 + drafts) + prompts).sum()], dtype=np.int64)
    return Work(prompts, prompts * context, sequences, sequences * context, tokens)


@pytest.mark.parametrize("contention", [False, True])
@pytest.mark.parametrize("sequences", [1, 7, 60, 512])
def test_equal_groups_cost_what_the_step_executor_says(sequences, contention):
    """Same counts, same seconds, with dense layers, drafts, head and host."""
    executor, load = _executor(contention=contention), Skewed(3, 256, 8)
    work = _work(sequences)
    step = executor.step(
        PLACEMENT, load(work.condition_tokens, 0.0, None), step_tokens=64 * sequences
    )
    whole = engine_step(executor, step, 2 * sequences)
    cost = ColocatedPrice(executor, PLACEMENT, load, 32)(work)
    assert cost.total == pytest.approx(whole.total, rel=1e-6)
    layers = MODEL.moe_layers + 1
    assert cost.experts_max == pytest.approx(step.experts.mean() * layers, rel=1e-6)
    assert cost.experts_mean == pytest.approx(step.rank_experts.mean() * layers, rel=1e-6)
    assert cost.communication == pytest.approx(
        (step.dispatch + step.combine).mean() * layers, rel=1e-6
    )


@pytest.mark.parametrize("name", ["deepseek-v2-lite", "qwen3-235b-a22b", "deepseek-v3.2"])
def test_other_attentions(name):
    """Grouped queries, sparse attention, no dense layers: the same again."""
    model = Model.preset(name)
    executor = _executor(model=model)
    load = Skewed(2, model.experts, model.top_k)
    width = -(-model.experts // 32)
    placement = lb.Placement(np.tile(np.arange(32 * width) % model.experts, (2, 1)), 32)
    work = _work(16)
    step = executor.step(placement, load(work.condition_tokens, 0.0, None), step_tokens=1024)
    cost = ColocatedPrice(executor, placement, load, 32)(work)
    assert cost.total == pytest.approx(engine_step(executor, step, 32).total, rel=1e-6)


def test_prompts_alone_cost_a_prefill_step():
    """But for the output head, which prompts need for one token."""
    executor = _executor(phase="prefill", drafts=0)
    work = _work(0, prompts=2048, drafts=0)
    counts = LOAD(work.condition_tokens, 0.0, None)
    step = executor.step(PLACEMENT, counts, step_tokens=2048 * 32)
    whole = engine_step(executor, step, 2048)
    cost = ColocatedPrice(executor, PLACEMENT, LOAD, 32)(work)
    head = float(executor.operators.head_s(1))
    assert cost.total - head == pytest.approx(whole.total - whole.head, rel=1e-6)


def test_a_dispatcher_splits_tokens():
    """With the optimal split the price is that of its shares."""
    executor, load = _executor(), Skewed(3, 256, 8)
    optimal = lb.make_dispatcher("optimal")
    work = _work(60)
    counts = load(work.condition_tokens, 0.0, None)
    step = executor.step(PLACEMENT, counts, optimal(PLACEMENT, counts), 64 * 60)
    cost = ColocatedPrice(executor, PLACEMENT, load, 32, PriceOptions(optimal))(work)
    assert cost.total == pytest.approx(engine_step(executor, step, 120).total, rel=1e-6)


def test_the_barrier_is_the_slowest_group():
    """One group with longer context costs all what it would cost if all were so."""
    price = ColocatedPrice(_executor(), PLACEMENT, LOAD, 32)
    work = _work(40)
    work.decode_context[5] *= 4
    one, all_alike = price(work), price(_work(40, 4 * 3072))
    assert one.total == pytest.approx(all_alike.total, rel=1e-12)
    assert one.attention_max == pytest.approx(all_alike.attention_max, rel=1e-12)
    assert one.attention_mean < all_alike.attention_mean


def test_groups_of_several_dies_divide_their_tokens():
    """Eight groups of four dies with 240 sequences are 32 groups of 60 and their all-reduces."""
    executor = _executor()
    whole = ColocatedPrice(executor, PLACEMENT, LOAD, 32)(_work(60))
    spanned = ColocatedPrice(executor, PLACEMENT, LOAD, 8)(_work(240, groups=8))
    added = (MODEL.layers + 1) * float(executor.collectives.all_reduce_s(480, 4))
    assert spanned.total == pytest.approx(whole.total + added, rel=1e-9)
    assert spanned.attention_max == pytest.approx(whole.attention_max + added, rel=1e-9)


AMOUNTS = st.lists(st.integers(0, 300), min_size=32, max_size=32)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, AMOUNTS, st.integers(0, 31), st.integers(0, 3), st.sampled_from([0.0, 0.05]))
def test_more_work_never_costs_less(sequences, prompts, group, kind, sigma):
    """A sequence, a prompt token or some context more, on any group, noise the same."""
    more = np.zeros((4, 32))
    more[kind, group] = (1, 1, 5000, 5000)[kind]
    costs = []
    for extra in (np.zeros((4, 32)), more):
        decoding = np.array(sequences) + extra[0]
        prefilling = np.array(prompts) + extra[1]
        work = Work(
            prefilling,
            prefilling * 500.0 + extra[2] * (prefilling > 0),
            decoding,
            decoding * 700.0 + extra[3] * (decoding > 0),
            np.array([2 * decoding.sum() + prefilling.sum()], dtype=np.int64),
        )
        executor = _executor(Jitter(sigma) if sigma else None, contention=True)
        costs.append(ColocatedPrice(executor, PLACEMENT, LOAD, 32)(work))
    assert costs[1].total >= costs[0].total * (1 - 1e-12)


def test_nothing_to_do_costs_the_gap():
    """A step without tokens is the host's; one sequence in one group is more."""
    price = ColocatedPrice(_executor(), PLACEMENT, LOAD, 32, PriceOptions(host_s=0.003))
    assert price(_work(0)) == (0.003, 0, 0, 0, 0, 0)
    work = _work(0)
    work.sequences[3], work.decode_context[3], work.condition_tokens[0] = 1, 10, 2
    assert price(work).total > 0.006


def test_a_long_prompt_grows_the_table():
    """Table lengths change no price."""
    executor = _executor(drafts=0)
    long, fresh = (ColocatedPrice(executor, PLACEMENT, LOAD, 32) for _ in range(2))
    before = long(_work(60, drafts=0))
    assert long(_work(0, prompts=100_000.0, drafts=0)).total > 10 * before.total
    assert long(_work(60, drafts=0)) == fresh(_work(60, drafts=0))


def test_what_was_seen():
    """Counts add up over the steps, and are handed over once."""
    price = ColocatedPrice(_executor(), PLACEMENT, LOAD, 32)
    price(_work(60))
    price(_work(10))
    assert (price.seen.sum(axis=1) == 32 * 70 * 2 * 8).all()
    assert (price.take_seen().sum(axis=1) == 32 * 70 * 2 * 8).all()
    assert not price.seen.any()


def test_a_better_placement_while_running():
    """The hottest expert on ranks of its own shortens the experts' barrier."""
    load = Skewed(3, 256, 8)
    price = ColocatedPrice(_executor(), PLACEMENT, load, 32)
    before = price(_work(200))
    price.placement = lb.solve(lb.Problem(price.take_seen(), 32, 9), "greedy")
    after = price(_work(200))
    assert after.experts_max < 0.8 * before.experts_max
    assert after.attention_max == before.attention_max
    with pytest.raises(ValueError, match="cannot follow"):
        price.placement = lb.Placement(np.tile(np.arange(64), (3, 1)), 32)


def test_a_slow_rank_and_a_busy_fabric():
    """Half the speed doubles the slowest rank's part; slowdown leaves the setup as it is."""
    price = ColocatedPrice(_executor(), PLACEMENT, LOAD, 32)
    calm = price(_work(60))
    price.rank_speed = np.where(np.arange(32) == 9, 0.5, 1.0)
    slow = price(_work(60))
    assert slow.attention_max == pytest.approx(2 * calm.attention_max)
    price.rank_speed = None
    price.comm_slowdown = 2.0
    busy = price(_work(60))
    assert calm.communication < busy.communication < 2 * calm.communication
    assert busy.total - calm.total == pytest.approx(busy.communication - calm.communication)


@pytest.mark.parametrize("jitter", [Jitter(0.05), Jitter(0.05, 0.2, 1e-3)])
def test_noise_has_the_jitter_of_the_step_executor(jitter):
    """Mean 1, and the slowest of 32 ranks as far out as in the executor's own draws."""
    noisy, calm = _executor(jitter), _executor()
    price = ColocatedPrice(noisy, PLACEMENT, LOAD, 32)
    result = np.array([price(_work(60)) for _ in range(300)])
    still = ColocatedPrice(calm, PLACEMENT, LOAD, 32)(_work(60))
    counts = LOAD(_work(60).condition_tokens, 0.0, None)
    steps = [noisy.step(PLACEMENT, counts, step_tokens=3840, number=n) for n in range(300)]
    layers = MODEL.moe_layers + 1
    expected = np.mean([step.experts.mean() for step in steps]) * layers
    assert result[:, 3].mean() == pytest.approx(expected, rel=0.005)
    stalls = jitter.stall_probability * jitter.stall_s * layers
    assert result[:, 4].mean() == pytest.approx(still.experts_mean + stalls, rel=0.02)
    assert result[:, 2].mean() == pytest.approx(still.attention_mean + stalls, rel=0.02)


def test_seeds_reproduce():
    """Equal seeds, equal costs in order; other seeds, others."""
    executor = _executor(Jitter(0.05))
    runs = []
    for seed in (1, 1, 2):
        price = ColocatedPrice(executor, PLACEMENT, LOAD, 32, PriceOptions(seed=seed))
        runs.append([price(_work(60)) for _ in range(3)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert runs[0][0] != runs[0][1]


def test_xdeepserve_colocated():
    """60 sequences on each of 288 dies: 95 ms within a tenth (arXiv:2508.02520, section 7.1)."""
    given = tomllib.loads(ANCHORS.read_text())["conditions"]["xdeepserve-colocated"]
    executor = predictions._executor(given)
    slots = np.concatenate([np.arange(256), np.full(32, 256)])  # the shared expert on 32 dies
    placement = lb.Placement(np.tile(slots, (16, 1)), 288)
    options = PriceOptions(host_s=given["host_s"])
    price = ColocatedPrice(executor, placement, Hot(16, 256, 8), 288, options)
    costs = [price(_work(60, given["kv_tokens"], groups=288)).total for _ in range(10)]
    assert np.mean(costs) == pytest.approx(95e-3, rel=0.1)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"groups": 5}, "divide 32 ranks"),
        ({"load": even(3, 128, 8)}, "place 128 experts"),
        ({"load": even(2, 256, 8)}, "in 2 layers"),
        ({"placement": lb.Placement(PLACEMENT.physical_to_logical, 16)}, "the fabric 32"),
        ({"executor": _executor(shared_local=False)}, "place 257 experts"),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    """The message says what does not fit, and how to fix it."""
    good = {"executor": _executor(), "placement": PLACEMENT, "load": LOAD, "groups": 32}
    with pytest.raises(ValueError, match=match):
        ColocatedPrice(**(good | change))


def test_impossible_work_is_refused():
    """Negative, infinite, other groups, other conditions."""
    price = ColocatedPrice(_executor(), PLACEMENT, LOAD, 32)
    for value in (-1.0, np.inf, np.nan):
        work = _work(4)
        work.sequences[7] = value
        with pytest.raises(ValueError, match="breaks 0 <= number"):
            price(work)
    with pytest.raises(ValueError, match="16 groups, the price 32"):
        price(_work(4, groups=16))
    work = _work(4)
    work.condition_tokens = np.array([1, 2])
    with pytest.raises(ValueError, match="2 entries for 1 conditions"):
        price(work)
    for setting, value in (("comm_slowdown", 0.5), ("rank_speed", np.zeros(32))):
        with pytest.raises(ValueError, match=setting):
            setattr(price, setting, value)


def test_drafts_cost_what_they_are_said_to():
    """Instead of a layer and a head each; nothing in a step of prompts alone."""
    executor = _executor()
    none, some = (
        ColocatedPrice(executor, PLACEMENT, LOAD, 32, PriceOptions(drafts_s=seconds))
        for seconds in (0.0, 5e-3)
    )
    assert some(_work(60)).total - none(_work(60)).total == pytest.approx(5e-3)
    prompts = _work(0, prompts=64)
    assert some(prompts).total == none(prompts).total
    modelled = ColocatedPrice(executor, PLACEMENT, LOAD, 32)
    layer = modelled(_work(60)).experts_max / (MODEL.moe_layers + 1)
    saved = modelled(_work(60)).total - none(_work(60)).total
    assert saved > layer + float(executor.operators.head_s(120))
    with pytest.raises(ValueError, match=r"drafts_s = -1 breaks 0 <= drafts_s"):
        ColocatedPrice(executor, PLACEMENT, LOAD, 32, PriceOptions(drafts_s=-1))


def test_a_dispatcher_splits_unless_a_share_is_fixed():
    """Rotation loads ranks less evenly than the even split; disabled slots come first."""
    twice = lb.Placement(np.tile(np.arange(512) % 256, (3, 1)), 32)
    even, rotated = (
        ColocatedPrice(_executor(), twice, LOAD, 32, PriceOptions(dispatcher))
        for dispatcher in (None, lb.make_dispatcher("rotate"))
    )
    work = _work(60)
    assert rotated(work).experts_max > even(work).experts_max
    rotated.fix_share(twice.even_share)
    assert rotated(work).experts_max == even(work).experts_max
    rotated.fix_share(None)
    assert rotated(work).experts_max > even(work).experts_max
