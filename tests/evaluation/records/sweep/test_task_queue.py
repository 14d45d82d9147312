"""Processes stay with tasks that share an input."""

from evaluation.records.sweep.task_queue import TaskQueue


def queue(*groups):
    """Return a queue of tasks of these groups, numbered from 0."""
    made = TaskQueue()
    for number, group in enumerate(groups):
        made.put(number, b"", group)
    return made


def taken(waiting, own=None, others=()):
    """Return the number of the next task."""
    return waiting.take(own, others).number


def test_without_groups_first_come_first_served():
    """Tasks that share nothing keep their order, whoever asks."""
    waiting = queue(None, None, None)
    first = waiting.take(None, ())
    assert [first.number, taken(waiting, first.group), taken(waiting, "a")] == [0, 1, 2]
    assert not waiting


def test_a_process_stays_with_its_group():
    """Also past tasks of others that came earlier."""
    waiting = queue("a", "b", "a", "b", "a")
    assert [taken(waiting, "a") for _ in range(3)] == [0, 2, 4]
    assert taken(waiting, "a") == 1


def test_two_processes_take_two_groups():
    """The second one passes over the group that the first one is at."""
    waiting = queue("a", "a", "b", "b")
    assert taken(waiting) == 0
    assert taken(waiting, None, {"a"}) == 2
    assert [taken(waiting, "a", {"b"}), taken(waiting, "b", {"a"})] == [1, 3]


def test_with_nothing_else_left_it_helps_where_most_is_left():
    """No process idles while tasks wait."""
    waiting = queue("a", "b", "b", "b")
    assert taken(waiting, "c", {"a", "b"}) == 1


def test_a_task_that_is_tried_again_joins_its_group():
    """Its input may still be there."""
    waiting = queue("a", "a", "b")
    lost = waiting.take(None, ())
    waiting.put(lost.number, lost.task, lost.group)
    assert [taken(waiting, "a"), taken(waiting, "a"), taken(waiting, "a")] == [1, 0, 2]
