"""How a new placement gets onto the ranks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from evaluation.serving.recovery.migration import (
    MODES,
    FourPhase,
    WeightTransfer,
    make_migration,
    masked_share,
)
from evaluation.serving.recovery.migration.rounds import EXCHANGED, KEPT, rounds

STEP = 0.25
WEIGHT = 8.0  # bytes of an expert
RATE = 16.0  # bytes a second: half a second for an expert

#: Two ranks of two slots, three experts. Expert 0 has a spare copy, on rank 1.
SPARE = lb.Placement([[0, 1, 0, 2]], 2)
#: The spare slot takes expert 1 instead.
RESPARED = lb.Placement([[0, 1, 1, 2]], 2)
#: Sole copies of experts 0 and 1, and the same the other way round.
SOLE = lb.Placement([[0, 1]], 2)
SWAPPED = lb.Placement([[1, 0]], 2)
#: A chain: expert 0 has the spare copy, and each slot takes the expert of the next one.
CHAIN = lb.Placement([[0, 0, 1, 2]], 4)
CHAINED = lb.Placement([[0, 1, 2, 2]], 4)


def transfer(before, after, started_s=0.0):
    """Weights on their way from one placement to another."""
    return WeightTransfer(before, after, WEIGHT, RATE, started_s)


def run(migration, step_s=STEP, start_s=0.0):
    """All effects until done, each with the time it was asked at."""
    now, effects = start_s, []
    while not effects or not effects[-1][1].done:
        assert len(effects) < 2000  # 36 moves, one after another, take 20 steps each at most
        effects.append((now, migration.advance(now, step_s)))
        now += effects[-1][1].pause_s + step_s
    return effects


def pauses(effects):
    """Seconds that the step loop stood still."""
    return sum(effect.pause_s for _, effect in effects)


@st.composite
def placement_pairs(draw):
    """Two placements of one shape, with duplicates on a rank now and then."""
    ranks, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    slots = ranks * width
    experts, layers = draw(st.integers(1, slots)), draw(st.integers(1, 3))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def placed():
        table = np.empty((layers, slots), dtype=np.int64)
        for row in table:
            row[:experts] = np.arange(experts)
            row[experts:] = generator.integers(experts, size=slots - experts)
            generator.shuffle(row)
        return lb.Placement(table, ranks)

    return placed(), placed()


parameters = st.fixed_dictionaries(
    {},
    optional={
        "storage_bytes_per_s": st.sampled_from([0.5 * RATE, np.inf]),
        "port_share": st.sampled_from([0.1, 0.5, 0.9]),
        "layers_at_once": st.integers(1, 4),
    },
)


def held(effect, rank):
    """(layer, expert) pairs that a rank may be sent tokens for."""
    placement = effect.placement
    first = rank * placement.slots_per_rank
    pairs = set()
    for layer, row in enumerate(placement.physical_to_logical):
        for slot in range(first, first + placement.slots_per_rank):
            if effect.enabled is None or effect.enabled[layer, slot]:
                pairs.add((layer, int(row[slot])))
    return pairs


def check_journey(before, after, effects):
    """Nothing is served before it has arrived, nothing is unreachable, all of it arrives once."""
    arrived = np.zeros(before.num_ranks)
    at_first = [
        {
            (layer, int(expert))
            for layer, row in enumerate(before.physical_to_logical)
            for expert in np.split(row, before.num_ranks)[rank]
        }
        for rank in range(before.num_ranks)
    ]
    served = [set(pairs) for pairs in at_first]
    everything = {
        (layer, expert)
        for layer in range(before.num_layers)
        for expert in range(before.num_experts)
    }
    for _, effect in effects:
        arrived += effect.received
        now_held = [held(effect, rank) for rank in range(before.num_ranks)]
        assert set().union(*now_held) == everything
        for rank, pairs in enumerate(now_held):
            served[rank] |= pairs
            assert len(served[rank] - at_first[rank]) * WEIGHT <= arrived[rank] + 1e-6
        share = masked_share(effect.placement, effect.placement.even_share, effect.enabled)
        lb.check_share(effect.placement, share)
        assert effect.enabled is None or (share[~effect.enabled] == 0).all()
    assert effects[-1][1].placement is after
    assert effects[-1][1].enabled is None
    np.testing.assert_allclose(arrived, after.moves_from(before).sum(axis=0) * WEIGHT)


@settings(deadline=None)
@given(placement_pairs(), st.sampled_from(sorted(MODES)), st.sampled_from([0.1, 0.25, 3.0]))
def test_every_mode_ends_in_after_with_the_bytes_of_its_moves(pair, mode, step_s):
    """Whatever the mode, a rank receives what moves_from says, and serves nothing it lacks."""
    migration = make_migration(mode, transfer(*pair))
    effects = run(migration, step_s)
    check_journey(*pair, effects)
    again = migration.advance(effects[-1][0] + 100, step_s)
    assert again.done
    assert again.pause_s == again.busy == again.received.sum() == 0


@settings(deadline=None)
@given(placement_pairs(), parameters)
def test_four_phase_keeps_every_expert_reachable(pair, params):
    """Nor do its parameters change what is reachable, received or reached."""
    check_journey(*pair, run(FourPhase(transfer(*pair), **params)))


@settings(deadline=None)
@given(placement_pairs())
def test_pauses_are_as_stated(pair):
    """The slowest rank of all, of each layer, and of the exchanges."""
    before, after = pair
    each = after.moves_from(before) * WEIGHT / RATE
    stop = pauses(run(make_migration("stop-the-world", transfer(*pair))))
    layers = pauses(run(make_migration("layer-by-layer", transfer(*pair))))
    assert stop == pytest.approx(each.sum(axis=0).max())
    assert layers == pytest.approx(each.max(axis=1).sum())
    plan = rounds(before, after)
    exchanged = np.where(plan.turn == EXCHANGED, plan.weights, 0).sum(axis=0)
    by_rank = exchanged.reshape(before.num_ranks, -1).sum(axis=1)
    background = pauses(run(FourPhase(transfer(*pair))))
    assert background == pytest.approx(by_rank.max() * WEIGHT / RATE)
    assert background <= stop + 1e-9


@settings(deadline=None)
@given(placement_pairs())
def test_what_is_exchanged_goes_in_circles(pair):
    """The slots left to an exchange hold the experts they shall hold, in another order."""
    before, after = pair
    plan = rounds(before, after)
    for layer, turn in enumerate(plan.turn):
        left = turn == EXCHANGED
        old = before.physical_to_logical[layer][left]
        assert len(set(old)) == len(old)
        assert sorted(old) == sorted(plan.target[layer][left])
        by_rank = [
            np.sort(table.reshape(before.num_ranks, -1))
            for table in (plan.target[layer], after.physical_to_logical[layer])
        ]
        assert (by_rank[0] == by_rank[1]).all()
    received = plan.weights.reshape(before.num_layers, before.num_ranks, -1).sum(axis=2)
    assert (received == after.moves_from(before)).all()


def test_paper_case_is_four_phases_without_a_pause():
    """Prefetch, disable and load, restore: one round, and the fabric is busy in the second."""
    migration = FourPhase(transfer(SPARE, RESPARED, 1.0), storage_bytes_per_s=16.0, port_share=0.5)
    effects = run(migration)
    # 0.5 s of prefetch from 1 s on; then 8 bytes at 8 bytes/s
    phases = [effect.phase for _, effect in effects]
    assert phases == ["waiting"] * 4 + ["prefetch"] * 2 + ["disabled"] * 4 + ["done"]
    assert pauses(effects) == 0
    for _, effect in effects[6:10]:
        assert effect.placement is SPARE
        assert effect.enabled.tolist() == [[True, True, False, True]]
        assert effect.busy == 0.5
        assert effect.slowdown == 2.0
    assert [effect.busy for _, effect in effects[:6]] == [0] * 6
    assert [effect.received.tolist() for _, effect in effects[6:]] == [[0, 0]] + [[0, 2]] * 4


def test_busy_counts_the_part_of_a_step_that_transfers_last():
    """A second of transfer in a step of four takes a quarter of its share of the port."""
    effect = FourPhase(transfer(SPARE, RESPARED)).advance(0.0, 4.0)
    assert effect.busy == 0.125


def test_sole_copies_are_exchanged_in_a_pause():
    """Two experts without a spare slot change places while the step loop pauses."""
    [(_, effect)] = run(FourPhase(transfer(SOLE, SWAPPED)))
    assert effect.pause_s == WEIGHT / RATE
    assert effect.received.tolist() == [WEIGHT, WEIGHT]
    assert effect.placement is SWAPPED


def test_chain_takes_a_round_a_link():
    """A slot is overwritten only after its expert has come up elsewhere."""
    plan = rounds(CHAIN, CHAINED)
    assert plan.turn.tolist() == [[KEPT, 0, 1, KEPT]]
    assert plan.target.tolist() == CHAINED.physical_to_logical.tolist()
    masks = [e.enabled.tolist() for _, e in run(FourPhase(transfer(CHAIN, CHAINED)))[:-1]]
    assert masks == [[[True, False, True, True]]] * 4 + [[[True, True, False, True]]] * 4


def test_transfers_wait_while_the_loop_stands_still():
    """The round after a pause begins when the steps do."""
    before = lb.Placement([[0, 1, 2, 2], [0, 1, 2, 2]], 4)
    after = lb.Placement([[1, 0, 2, 2], [0, 1, 2, 1]], 4)
    migration = FourPhase(transfer(before, after), layers_at_once=1)
    first = migration.advance(0.0, STEP)
    assert first.pause_s == 0.5
    assert first.enabled.sum() == 7
    second = migration.advance(0.5 + STEP, STEP)
    assert second.received.tolist() == [0, 0, 0, STEP * RATE / 2]


def test_nothing_to_move_or_only_to_renumber():
    """A placement whose ranks keep their experts is there at once, for nothing."""
    renumbered = lb.Placement([[1, 0, 2, 0]], 2)
    for mode in MODES:
        for after in (SPARE, renumbered):
            [(_, effect)] = run(make_migration(mode, transfer(SPARE, after)))
            assert effect.placement is after
            assert effect.pause_s == effect.busy == effect.received.sum() == 0


@pytest.mark.parametrize("mode", sorted(MODES))
def test_nothing_happens_before_the_start(mode):
    """A migration that starts later leaves the steps before alone."""
    effect = make_migration(mode, transfer(SPARE, RESPARED, 5.0)).advance(4.9, STEP)
    assert effect.placement is SPARE
    assert not effect.done
    assert effect.pause_s == effect.busy == 0


def test_layers_move_in_chunks():
    """Three layers, two at once: two pauses, each of its own slowest rank."""
    before = lb.Placement([[0, 1, 0, 2]] * 3, 2)
    after = lb.Placement([[0, 1, 1, 2], [2, 1, 0, 2], [0, 1, 1, 2]], 2)
    effects = run(make_migration("layer-by-layer", transfer(before, after), layers_per_step=2))
    assert [effect.pause_s for _, effect in effects] == [0.5, 0.5]
    middle = effects[0][1].placement.physical_to_logical
    assert middle.tolist() == [[0, 1, 1, 2], [2, 1, 0, 2], [0, 1, 0, 2]]


def test_masked_share_keeps_proportions_and_falls_back_to_even():
    """What is left of 0.2 and 0.6 is 0.25 and 0.75; what is left of nothing is even."""
    placement = lb.Placement([[0, 0, 0, 1]], 4)
    off = np.array([[True, False, True, True]])
    share = masked_share(placement, [[0.2, 0.2, 0.6, 1.0]], off)
    np.testing.assert_allclose(share, [[0.25, 0, 0.75, 1]])
    share = masked_share(placement, [[0.0, 1.0, 0.0, 1.0]], off)
    assert share.tolist() == [[0.5, 0, 0.5, 1]]
    assert masked_share(placement, placement.even_share, None) is placement.even_share


def test_masked_share_by_source_rank():
    """Each source rank passes on its own shares."""
    placement = lb.Placement([[0, 0, 0, 1]], 2)
    by_source = [[[0.2, 0.2, 0.6, 1.0], [0.0, 1.0, 0.0, 1.0]]]
    share = masked_share(placement, by_source, np.array([[True, False, True, True]]))
    np.testing.assert_allclose(share, [[[0.25, 0, 0.75, 1], [0.5, 0, 0.5, 1]]])


def test_masked_share_refuses_to_lose_an_expert():
    """The layer and the expert without a slot are named."""
    with pytest.raises(ValueError, match="layer 0 has no enabled slot of expert 1"):
        masked_share(SPARE, SPARE.even_share, np.array([[True, False, True, True]]))
    with pytest.raises(ValueError, match=r"enabled \(1, 2\)"):
        masked_share(SPARE, SPARE.even_share, np.array([[True, False]]))


@pytest.mark.parametrize(
    ("mode", "changes", "message"),
    [
        ("stop-the-word", {}, "unknown migration mode 'stop-the-word': did you mean 'stop-the-w"),
        ("stop-the-world", {"after": SOLE}, "num_experts is 3 before and 2 after"),
        ("stop-the-world", {"expert_bytes": 0}, "expert_bytes = 0 breaks expert_bytes > 0"),
        ("layer-by-layer", {"bytes_per_s": -1}, "bytes_per_s = -1 breaks"),
        ("layer-by-layer", {"layers_per_step": 0}, "layers_per_step = 0 < 1"),
        ("four-phase", {"port_share": 1.0}, "port_share = 1 is outside 0 < port_share < 1"),
        ("four-phase", {"storage_bytes_per_s": 0}, "storage_bytes_per_s = 0 breaks"),
        ("four-phase", {"layers_at_once": 0}, "layers_at_once = 0 < 1"),
    ],
)
def test_errors_name_the_parameter(mode, changes, message):
    """What cannot be is refused when the migration is made."""
    given_ = {
        "before": SPARE,
        "after": RESPARED,
        "expert_bytes": WEIGHT,
        "bytes_per_s": RATE,
        "started_s": 0.0,
    }
    params = {name: changes[name] for name in changes.keys() - given_.keys()}
    weights = {name: changes.get(name, value) for name, value in given_.items()}
    with pytest.raises(ValueError, match=message):
        make_migration(mode, WeightTransfer(**weights), **params)


@pytest.mark.parametrize("mode", sorted(MODES))
def test_time_goes_on(mode):
    """A clock that goes backwards and a step without length are errors."""
    migration = make_migration(mode, transfer(SPARE, RESPARED))
    migration.advance(2.0, STEP)
    with pytest.raises(ValueError, match="now_s = 1 < 2"):
        migration.advance(1.0, STEP)
    with pytest.raises(ValueError, match="step_s = 0 breaks step_s > 0"):
        migration.advance(3.0, 0.0)
