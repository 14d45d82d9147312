"""The running sequences of a task executor, advanced step by step by a compiled kernel."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.executor_setup import ExecutorShape
from evaluation.serving.engine.kv_memory import whole_blocks
from lb.kernel import kernel

Ints = NDArray[np.int64]


class DecodeBatch:
    """The running sequences of a task executor, in dense tables of [groups, limit].

    The first ``count`` places of a group are taken. Of these, the first ``begun`` take part in the
    step under way; sequences that entered since then stand behind them.

    Parameters
    ----------
    shape
        Of the executor. In a step a sequence makes one token, and up to ``drafts`` more:
        ``acceptance`` is the chance that a draft token is accepted if those before it were
        (xDeepServe section 4.6: 70 to 90 %).
    random
        Generator that draws which draft tokens are accepted.

    Attributes
    ----------
    request, left, context
        [groups, limit] request, tokens that it has left to generate, and its tokens in cache.
    count, begun
        [groups] running sequences, and those that take part in the step under way.
    held, context_sum
        [groups] tokens of cache in whole blocks, and sum of ``context``.
    """

    def __init__(self, shape: ExecutorShape, random: np.random.Generator) -> None:
        groups, limit = shape.groups, shape.batch_limit
        self.request: Ints = np.full((groups, limit), -1, dtype=np.int64)
        self.left: Ints = np.zeros((groups, limit), dtype=np.int64)
        self.context: Ints = np.zeros((groups, limit), dtype=np.int64)
        self.count: Ints = np.zeros(groups, dtype=np.int64)
        self.begun: Ints = np.zeros(groups, dtype=np.int64)
        self.held: Ints = np.zeros(groups, dtype=np.int64)
        self.context_sum: Ints = np.zeros(groups, dtype=np.int64)
        self.drafts, self.acceptance = shape.drafts, shape.acceptance
        self.block_tokens, self.random = shape.block_tokens, random
        self._ended: Ints = np.zeros((groups * limit, 2), dtype=np.int64)

    @property
    def limit(self) -> int:
        """Sequences that one DP group may run."""
        return int(self.request.shape[1])

    def enter(self, request: int, group: int, context: int, left: int) -> None:
        """Add a sequence with ``context`` tokens in cache and ``left`` to generate."""
        at = self.count[group]
        self.request[group, at], self.left[group, at] = request, left
        self.context[group, at] = context
        self.count[group] += 1
        self.held[group] += whole_blocks(context, self.block_tokens)
        self.context_sum[group] += context

    def remove(self, request: int, group: int) -> int:
        """Take a sequence out; return how many tokens it had left."""
        at = int(np.flatnonzero(self.request[group, : self.count[group]] == request)[0])
        left, last, begun = int(self.left[group, at]), self.count[group] - 1, self.begun[group] - 1
        self.held[group] -= whole_blocks(int(self.context[group, at]), self.block_tokens)
        self.context_sum[group] -= self.context[group, at]
        for table in (self.request, self.left, self.context):
            # The last sequence of the step under way fills the gap, and the last one of all fills
            # that gap, so that sequences of the step stay in front of those that came later.
            if at <= begun:
                table[group, at] = table[group, begun]
                table[group, begun] = table[group, last]
            else:
                table[group, at] = table[group, last]
        self.request[group, last] = -1
        self.count[group] = last
        if at <= begun:
            self.begun[group] = begun
        return left

    def begin(self) -> None:
        """Begin a step with the present sequences; later ones wait for the next step."""
        self.begun[:] = self.count

    def step(self) -> tuple[Ints, int]:
        """Let every sequence generate that was present when the step began; those that end leave.

        Returns
        -------
        ended
            [sequences, 2] request and group of each that ended; valid until the next step.
        emitted
            Tokens generated.
        """
        ended, emitted = _step(
            self.request,
            self.left,
            self.context,
            self.count,
            self.begun,
            self.held,
            self.context_sum,
            self.drafts,
            self.acceptance,
            self.block_tokens,
            self.random,
            self._ended,
        )
        return self._ended[:ended], emitted


@kernel
def _step(
    request: Ints,
    left: Ints,
    context: Ints,
    count: Ints,
    begun: Ints,
    held: Ints,
    context_sum: Ints,
    drafts: int,
    acceptance: float,
    block: int,
    random: np.random.Generator,
    ended: Ints,
) -> tuple[int, int]:
    """Advance every sequence; return the number of ended sequences and of generated tokens."""
    num_ended = emitted = 0
    for group in range(len(count)):
        at, stop = 0, begun[group]
        while at < stop:
            made = 1
            for _ in range(drafts):
                if random.random() >= acceptance:
                    break
                made += 1
            made = min(made, left[group, at])
            emitted += made
            left[group, at] -= made
            context[group, at] += made
            if left[group, at] > 0:
                at += 1
                continue
            ended[num_ended, 0], ended[num_ended, 1] = request[group, at], group
            num_ended += 1
            # As in ``remove``: the gap goes to the last sequence of the step that is not advanced
            # yet, which is looked at next, and the gap behind the step to the last of all.
            stop -= 1
            last = count[group] - 1
            for table in (request, left, context):
                table[group, at] = table[group, stop]
                table[group, stop] = table[group, last]
            request[group, last] = -1
            count[group] = last
        begun[group] = 0
        blocks = contexts = 0
        for at in range(count[group]):
            blocks += -(-context[group, at] // block) * block
            contexts += context[group, at]
        held[group], context_sum[group] = blocks, contexts
    return num_ended, emitted
