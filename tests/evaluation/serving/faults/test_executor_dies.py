"""Dies, nodes, DP groups and ranks of an executor."""

import pytest

from evaluation.serving.faults.executor_dies import ExecutorDies


@pytest.mark.parametrize(
    ("dies", "groups", "die", "found"),
    [
        (4, 4, 3, (3,)),
        (8, 2, 3, (0,)),
        (8, 2, 4, (1,)),
        (2, 4, 1, (2, 3)),
        (3, 2, 1, (0, 1)),
        (5, 1, 4, (0,)),
    ],
)
def test_groups_are_equal_parts_of_the_dies(dies, groups, die, found) -> None:
    """Several dies a group, several groups a die, or a die that two groups share."""
    executor = ExecutorDies("decode-0", "decode", dies, 2, groups)
    assert executor.groups_on([die]) == found
    assert executor.groups_on(range(dies)) == tuple(range(groups))
    assert executor.groups_on([]) == ()


def test_the_last_node_may_be_filled_in_part() -> None:
    """Ten dies on nodes of four are three nodes, the last with two."""
    executor = ExecutorDies("decode-0", "decode", 10, 4, 1)
    assert executor.nodes == 3
    assert executor.dies_of_node(1) == (4, 5, 6, 7)
    assert executor.dies_of_node(2) == (8, 9)


def test_attention_and_experts_apart(apart) -> None:
    """A die of experts belongs to no DP group, and a die of attention to no rank."""
    assert apart.ranks == (8, 9, 10, 11)
    assert apart.groups_on([8, 11]) == ()
    assert apart.groups_on([2, 9]) == (1,)
    assert not apart.colocated


def test_lost_dies_are_no_ranks(apart) -> None:
    """The dies that are left keep their numbers; an old placement says what it was placed on."""
    left = ExecutorDies("decode-0", "decode", 12, 4, 4, 8, lost_dies=frozenset({1, 9}))
    assert left.ranks == left.placed_on == (8, 10, 11)
    assert left.built_ranks == (8, 9, 10, 11)
    old = ExecutorDies(
        "a", "decode", 12, 4, 4, 8, apart.placement, (8, 9, 10, 11), lost_dies=frozenset({9})
    )
    assert old.ranks == (8, 10, 11)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"role": "attention"}, "role = 'attention' is not one of prefill"),
        ({"groups": 0}, "groups = 0 >= 1"),
        ({"attention_dies": 4}, "attention_dies = 4 breaks 0 < attention_dies < dies = 4"),
        ({"attention_dies": 0}, "attention_dies = 0 breaks"),
        ({"lost_dies": frozenset({4})}, "lost die 4 breaks 0 <= die < dies = 4"),
        ({"placed_on": (0, 1)}, r"placed_on = \(0, 1\) must hold"),
    ],
)
def test_impossible_executors_are_refused(values, message) -> None:
    """The value and the inequality are named."""
    base = {"name": "a", "role": "both", "dies": 4, "dies_per_node": 4, "groups": 4}
    with pytest.raises(ValueError, match=message):
        ExecutorDies(**{**base, **values})


def test_placement_and_fabric_must_fit(apart, fabric) -> None:
    """Four ranks do not lie on five dies, nor 32 ranks on 12."""
    with pytest.raises(ValueError, match="4 ranks for 5 dies"):
        ExecutorDies("a", "decode", 5, 4, 1, None, apart.placement)
    with pytest.raises(ValueError, match="32 ranks for 12 dies"):
        ExecutorDies("a", "decode", 12, 4, 1, fabric=fabric)
    with pytest.raises(ValueError, match="32 ranks for 12 dies"):
        ExecutorDies("a", "decode", 12, 4, 1, planes={"rdma": fabric})


def test_networks_have_names(decode, fabric) -> None:
    """The empty one is that of expert parallelism; others may not be there."""
    assert decode.network("") is fabric
    assert decode.network("rdma") is None


def test_groups_span_consecutive_dies(prefills, apart) -> None:
    """Four dies each of the prefill groups, two of those with attention."""
    assert prefills[0].dies_of_group(1) == (4, 5, 6, 7)
    assert apart.dies_of_group(3) == (6, 7)
