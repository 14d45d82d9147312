"""Checks that equal questions get equal answers, and that nothing else changes."""

import dataclasses
import pickle
import random
import types
import unittest
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scheduler = Callable[..., Any]
#: Name of a question to a function that makes its arguments.
Questions = Mapping[str, Callable[[], tuple[Any, ...]]]


def ask(scheduler: Scheduler, question: tuple[Any, ...], where: str) -> NDArray[np.int64]:
    """Return the answer [requests]; whatever the scheduler raises becomes a failed check."""
    try:
        answer = scheduler(*question)
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    assert isinstance(answer, np.ndarray), f"{where}: the answer is a {type(answer).__name__}"
    wanted = (len(question[0]),)
    assert answer.shape == wanted, f"{where}: the answer has shape {answer.shape}, not {wanted}"
    assert answer.dtype == np.int64, f"{where}: the answer has dtype {answer.dtype}, not int64"
    return answer


def assert_input_kept(scheduler: Scheduler, questions: Questions) -> None:
    """Raise if a scheduler writes to what it is shown, or answers with a part of it."""
    for name, make in questions.items():
        question = make()
        before = pickle.dumps(question)
        answer = ask(scheduler, question, name)
        assert pickle.dumps(question) == before, f"{name}: what it was shown was changed"
        for shown in question:
            if not dataclasses.is_dataclass(shown):
                continue
            for part in dataclasses.fields(shown):
                value = getattr(shown, part.name)
                shares = isinstance(value, np.ndarray) and np.shares_memory(answer, value)
                assert not shares, f"{name}: the answer is a view of {part.name}"


def assert_no_state(scheduler: Scheduler, questions: Questions) -> None:
    """Raise if what was asked before changes an answer, or the scheduler's fields."""
    fields = repr(sorted(getattr(scheduler, "__dict__", {}).items()))
    first = {name: ask(scheduler, make(), name).copy() for name, make in questions.items()}
    for name, make in reversed(list(questions.items())):
        again = ask(scheduler, make(), name)
        assert (again == first[name]).all(), f"{name}: another answer when asked again"
    after = repr(sorted(getattr(scheduler, "__dict__", {}).items()))
    assert fields == after, "the scheduler keeps state between calls"


def assert_deterministic(scheduler: Scheduler, questions: Questions) -> None:
    """Raise if the global random state matters, or is used."""
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        for name, make in questions.items():
            answers = []
            for seed in (1, 2):
                np.random.seed(seed)  # noqa: NPY002
                random.seed(seed)
                before = _global_random_state()
                answers.append(ask(scheduler, make(), name).copy())
                assert _global_random_state() == before, (
                    f"{name}: the global random state was used; make a numpy.random.Generator "
                    "from a seed"
                )
            assert (answers[0] == answers[1]).all(), f"{name}: two calls give two answers"
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])


def _global_random_state() -> bytes:
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002


def assert_pickles(scheduler: Scheduler, questions: Questions) -> None:
    """Raise if a pickled and restored scheduler answers otherwise; skip nested functions."""
    if isinstance(scheduler, types.FunctionType) and "<" in scheduler.__qualname__:
        raise unittest.SkipTest("a function inside another cannot be pickled in Python")
    try:
        restored = pickle.loads(pickle.dumps(scheduler))
    except Exception as error:
        raise AssertionError(f"cannot be pickled: {type(error).__name__}: {error}") from error
    for name, make in questions.items():
        same = ask(scheduler, make(), name) == ask(restored, make(), name)
        assert same.all(), f"{name}: another answer after pickling"
