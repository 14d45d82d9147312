"""What every batch policy must hold; each check is one claim, and says what broke it."""

import pickle
from collections.abc import Callable

import numpy as np

from schedulers.protocols import BatchPolicy
from schedulers.views import Ints, Queue

Check = Callable[[BatchPolicy], None]
STEP = 1000


def queue(left: list[int], decoding: int = 0, started: int = 0) -> Queue:
    """Return prompts of so many tokens, the oldest first; the first ``started`` have begun."""
    count = len(left)
    begun = np.arange(count) < started
    waited = np.arange(count, 0, -1, dtype=np.float64)
    return Queue(np.array(left, dtype=np.int64), waited, begun, decoding)


def ask(policy: BatchPolicy, waiting: Queue, step_tokens: int = STEP) -> Ints:
    """Return the answer, of the right shape and kind and within bounds."""
    tokens = np.asarray(policy(waiting, step_tokens))
    assert tokens.shape == (len(waiting),), f"answer has shape {tokens.shape}"
    assert np.issubdtype(tokens.dtype, np.integer), f"answer is {tokens.dtype}, give integers"
    assert (tokens >= 0).all(), f"{tokens} has a negative number"
    assert (tokens <= waiting.left_tokens).all(), f"{tokens} exceeds {waiting.left_tokens}"
    used, chosen = int(tokens.sum()) + waiting.decoding, tokens[tokens > 0]
    whole = len(chosen) == 1 and bool((tokens == waiting.left_tokens)[tokens > 0].all())
    assert used <= step_tokens or whole, f"{used} tokens exceed the step's {step_tokens}"
    return tokens


def check_empty(policy: BatchPolicy) -> None:
    """No prompts get no tokens."""
    ask(policy, queue([]))


def check_progress(policy: BatchPolicy) -> None:
    """Where a prompt waits and there is room, something is computed."""
    for left in ([1], [STEP], [5 * STEP], [300, 200, 5000]):
        assert ask(policy, queue(left)).sum() > 0, f"nothing of {left} is computed"


def check_bounds(policy: BatchPolicy) -> None:
    """Short, long and started prompts keep the step's tokens, beside sequences in decode."""
    for left in ([400] * 5, [900, 900], [100, 5000, 100], [5000, 10]):
        for decoding in (0, 300):
            for started in (0, 1):
                ask(policy, queue(left, decoding, started))


def check_finishes_all(policy: BatchPolicy) -> None:
    """Asked again and again, it finishes every prompt."""
    left = [700, 40, 2500, 900, 1]
    for _ in range(100):
        left = [one for one in (np.array(left) - ask(policy, queue(left))).tolist() if one]
        if not left:
            return
    raise AssertionError(f"after 100 steps {left} tokens are left")


def check_no_starvation(policy: BatchPolicy) -> None:
    """A long prompt finishes though short ones arrive in every step."""
    left, waited = 3000, 0.0
    for _ in range(2000):
        waited += 1.0
        mixed = Queue(
            np.array([left, 600, 600]), np.array([waited, 0.1, 0.05]), np.zeros(3, dtype=bool)
        )
        left -= int(ask(policy, mixed)[0])
        if left == 0:
            return
    raise AssertionError(f"a prompt of 3000 tokens still has {left} after 2000 steps")


def check_keeps_its_input(policy: BatchPolicy) -> None:
    """The queue is not changed, and asked twice the policy answers the same."""
    waiting = queue([700, 40, 2500])
    before = pickle.dumps(waiting)
    one, two = ask(policy, waiting), ask(policy, waiting)
    assert (one == two).all()
    assert pickle.dumps(waiting) == before, "the policy changed what it was shown"


BATCH_CHECKS: tuple[Check, ...] = (
    check_empty,
    check_progress,
    check_bounds,
    check_finishes_all,
    check_no_starvation,
    check_keeps_its_input,
)


def check_batch_policy(policy: BatchPolicy) -> None:
    """Run all checks of batch policies.

    Raises
    ------
    AssertionError
        Saying what does not hold.
    """
    for check in BATCH_CHECKS:
        check(policy)
