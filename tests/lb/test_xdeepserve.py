"""The balancer of the xDeepServe paper, against sums done by hand and a plain retelling."""

import itertools

import numpy as np
import pytest

import lb
from lb.solvers.xdeepserve import CHOICES


def table(problem, **params):
    """Return [ranks, slots_per_rank] the first layer's placement."""
    placement = lb.solve(problem, "xdeepserve", **params)
    return placement.physical_to_logical[0].reshape(problem.num_ranks, -1).tolist()


def copies(problem, **params):
    """Return [experts] copies in the first layer."""
    return lb.solve(problem, "xdeepserve", **params).replica_count[0].tolist()


def test_one_window_copies_its_hottest_expert():
    """8 and 6 are split in turn: 8, 6 | 4, 6 | 4, 3 | 8/3, 3 | 8/3, 2."""
    assert copies(lb.Problem([[8, 6, 1, 1]], 4, 2)) == [3, 3, 1, 1]


def test_sum_over_slices_counts_and_not_the_total():
    """Expert 1 has the most tokens but is hottest in no slice: 10 + 10 falls to 9 + 10."""
    slices = [[[10, 9, 0, 0]], [[0, 9, 10, 0]]]
    one_spare = lb.Problem(np.array(slices)[:, :, :3], 2, 2)
    assert copies(one_spare) == [2, 1, 1]
    assert copies(one_spare, slices="planned") == [1, 2, 1]
    # 9 + 10 falls to 9 + 9 with expert 2, but to 5 + 10 with expert 1
    assert copies(lb.Problem(slices, 3, 2)) == [2, 2, 1, 1]


def test_ties_by_load_or_by_id():
    """Two slices of equal heat: the expert with more tokens over both comes first, or the id."""
    problem = lb.Problem([[[6, 2, 0]], [[0, 6, 0]]], 2, 2)
    assert copies(problem, ties="load") == [1, 2, 1]
    assert copies(problem, ties="id") == [2, 1, 1]


def test_where_no_copy_helps():
    """With 4 and 4 hottest, a third copy of expert 0 is no help, and taken all the same."""
    problem = lb.Problem([[8, 4, 2, 2]], 3, 2)
    assert copies(problem) == [3, 1, 1, 1]
    assert copies(problem, when_stuck="hottest") == [2, 2, 1, 1]


def test_copies_go_to_the_least_loaded_rank():
    """8/3 goes to ranks 2 and 3 with 1 each, and 2 to rank 1 and then rank 0."""
    problem = lb.Problem([[8, 6, 1, 1]], 4, 2)
    crowded = table(problem, allow_duplicates=True)
    assert crowded == [[0, 1], [1, 1], [2, 0], [3, 0]]


def test_empty_ranks_are_all_alike():
    """Without the load of the primaries the copies fill up from rank 0, wherever they may."""
    problem = lb.Problem([[8, 6, 1, 1]], 4, 2)
    assert table(problem, initial_load="none") == [[0, 1], [1, 0], [2, 0], [3, 1]]


def test_room_is_made_for_the_last_copy():
    """Only rank 1, which holds expert 1, has a free slot at the end; one expert changes ranks."""
    problem = lb.Problem([[8, 6, 1, 1]], 4, 2)
    answer = lb.solve(problem, "xdeepserve")
    assert answer.duplicate_count.sum() == 0
    assert answer.replica_count[0].tolist() == [3, 3, 1, 1]


def test_primaries_stay_where_they_are():
    """The first copy of every expert stays on its rank of the current placement."""
    current = lb.Placement([[3, 2, 1, 0, 0, 3]], 3)
    problem = lb.Problem([[8, 6, 5, 4]], 3, 2, current=current)
    held = [set(rank) for rank in table(problem, primaries="current", allow_duplicates=True)]
    assert {3, 2} <= held[0]
    assert {1, 0} <= held[1]
    contiguous = table(problem, allow_duplicates=True)
    assert [rank[0] for rank in contiguous] == [0, 2, 3]
    alone = problem.replace(current=None)
    assert table(alone, primaries="current", allow_duplicates=True) == contiguous


def test_choices_are_checked():
    """A value that is no choice is an error that lists them."""
    for name, choices in CHOICES.items():
        with pytest.raises(ValueError, match=f"{name} = 'x' is not one of {', '.join(choices)}"):
            lb.solve(lb.Problem([[1, 2]], 2, 2), "xdeepserve", **{name: "x"})


def retold(problem, layer, ties, when_stuck, initial_load, added_load):
    """The paper's loop in plain Python, duplicates on a rank allowed."""
    counts, ranks, width = problem.load[:, layer], problem.num_ranks, problem.slots_per_rank
    total = counts.sum(axis=0)
    number = np.ones(problem.num_experts, dtype=int)

    def hot_sum(number):
        return (counts / number).max(axis=1).sum()

    def per_replica(expert):
        return total[expert] / number[expert]

    for _ in range(problem.num_slots - problem.num_experts):
        one_more = number + np.eye(problem.num_experts, dtype=int)
        candidates = sorted(set((counts / number).argmax(axis=1).tolist()))
        if ties == "load":
            candidates.sort(key=lambda expert: -per_replica(expert))
        best = min(candidates, key=lambda expert: round(hot_sum(one_more[expert]), 9))
        if when_stuck == "hottest" and hot_sum(one_more[best]) > hot_sum(number) - 1e-9:
            best = max(range(problem.num_experts), key=per_replica)
        number[best] += 1
    weight = total / number if added_load == "replica" else total
    held = [[] for _ in range(ranks)]
    busy = np.zeros(ranks)
    for expert in range(problem.num_experts):
        rank = expert * ranks // problem.num_experts
        held[rank].append(expert)
        busy[rank] += weight[expert] * (initial_load == "primaries")
    for expert in np.argsort(-total, kind="stable"):
        for _ in range(number[expert] - 1):
            rank = min((r for r in range(ranks) if len(held[r]) < width), key=lambda r: busy[r])
            held[rank].append(int(expert))
            busy[rank] += weight[expert]
    return held


@pytest.mark.parametrize(
    "params",
    [
        dict(zip(("ties", "when_stuck", "initial_load", "added_load"), chosen, strict=True))
        for chosen in itertools.product(
            *(CHOICES[name] for name in ("ties", "when_stuck", "initial_load", "added_load"))
        )
    ],
    ids=lambda params: "-".join(params.values()),
)
def test_agrees_with_the_retelling(params):
    """Every choice gives slot by slot what the paper's loop in plain Python gives."""
    for seed, (windows, experts, ranks, slots) in enumerate([(1, 12, 4, 5), (5, 16, 4, 6)]):
        load = np.random.default_rng(seed).lognormal(sigma=2, size=(windows, 2, experts))
        problem = lb.Problem(load, ranks, slots)
        answer = lb.solve(problem, "xdeepserve", allow_duplicates=True, **params)
        for layer, row in enumerate(answer.physical_to_logical):
            assert row.reshape(ranks, slots).tolist() == retold(problem, layer, **params)
