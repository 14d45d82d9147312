"""Attention of the DP groups of a step, from tables by token count instead of kernel by kernel."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.work import Work
from hardware import Collectives, Operators
from lb.kernel import kernel

Array = NDArray[np.float64]

#: Rows of the table: a decode step alone; what a batch with prompts in it computes for all its
#: tokens, for its prompt tokens and for its decode tokens; the first two in a dense layer; the
#: output head.
DECODE, SHARED, OF_PREFILL, OF_DECODE, DENSE_DECODE, DENSE_SHARED, HEAD = range(7)
#: Parts of the attention phase whose seconds depend on the context, or on sequences.
CORE = ("attention", "indexer", "linear state")
#: Parts of the attention phase that dense layers do not have.
MOE_ONLY = ("gate", "shared expert")
#: Tokens that slopes are measured over.
MANY = 1e6


class AttentionTable:
    """Seconds of one layer's attention phase, of every DP group.

    All but the context is tabulated by whole tokens and linear between them; the core is linear in
    the context that it attends to, as in :class:`hardware.Operators`. Decode steps cost what
    ``attention_s(..., "decode")`` says. Where prompts and decode share a step (an assumption of
    ours, after chunked prefill), products with the same weights run over all tokens together,
    without the saving of a captured graph; the cores and the parts that only one of the two phases
    has run apart. The sequences of a group count as equally long where windows or an indexer make
    that matter. A group without tokens computes nothing.

    Parameters
    ----------
    operators
        Roofline prices.
    drafts
        Draft tokens of a sequence in decode.
    span
        Dies of a DP group: tokens and context are divided by it.
    collectives
        What dies that share a group need to add up their parts of the attention output, once a
        layer; ``None``: nothing.

    Raises
    ------
    ValueError
        If the operators interpolate measurements, which depend on context in other ways.
    """

    def __init__(
        self,
        operators: Operators,
        drafts: int,
        span: int,
        collectives: Collectives | None = None,
    ) -> None:
        if operators.source != "roofline":
            raise ValueError(
                f"operators.source = {operators.source!r}; steps are priced from rooflines, give "
                "source = 'roofline'"
            )
        self._operators, self._collectives = operators, collectives
        self.queries, self.span = 1.0 + drafts, float(span)
        self.rows = self._tabulate(4096)
        model = operators.model
        self.shape = np.array(
            [
                model.full_attention_layers / model.layers,
                model.index_top_k or np.inf,
                model.window_layers / model.layers,
                model.window,
            ]
        )
        self.slopes = np.array(
            [*self._slopes("decode", self.queries), *self._slopes("prefill", 1.0)]
        )

    def __call__(self, work: Work) -> tuple[Array, Array, float]:
        """Return [groups] seconds of a MoE layer and of a dense one, and the most decode tokens.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        moe, dense = np.empty((2, len(work.sequences)))
        while True:
            most = _attention(
                work.prefill_tokens,
                work.prefill_context,
                work.sequences,
                work.decode_context,
                self.queries,
                self.span,
                self.rows,
                self.shape,
                self.slopes,
                moe,
                dense,
            )
            if most >= 0:
                return moe, dense, most
            if not np.isfinite(most):
                raise ValueError(f"{work} has a number that breaks 0 <= number < infinity")
            self.rows = self._tabulate(int(-2 * most))

    def head_s(self, tokens: float) -> float:
        """Seconds of the output head of no more ``tokens`` than a call before has had, plus one."""
        return float(_at(self.rows[HEAD], tokens))

    def _tabulate(self, length: int) -> Array:
        operators, model = self._operators, self._operators.model
        tokens = np.arange(float(length))
        decode = operators.attention_parts(tokens, 0.0, "decode", self.queries)
        prefill = operators.attention_parts(tokens, 0.0, "prefill")
        together = (decode.keys() & prefill.keys()) - set(CORE)
        rows = np.zeros((7, length))
        rows[HEAD] = operators.head_s(tokens)
        rows[DECODE] = np.sum(list(decode.values()), axis=0)
        rows[SHARED] = np.sum([prefill[name] for name in sorted(together)], axis=0)
        if self._collectives is not None:
            rows[[DECODE, SHARED]] += self._collectives.all_reduce_s(
                tokens * self.span, int(self.span)
            )
        for row, parts in ((OF_PREFILL, prefill), (OF_DECODE, decode)):
            rows[row] = np.sum([parts[name] for name in parts if name not in together], axis=0)
        mlp = operators.mlp_s(tokens, model.dense_inter) if model.dense_layers else 0.0
        for row, whole, parts in ((DENSE_DECODE, DECODE, decode), (DENSE_SHARED, SHARED, prefill)):
            moe_only = np.sum([parts[name] for name in MOE_ONLY if name in parts], axis=0)
            rows[row] = rows[whole] - moe_only + mlp
        return rows

    def _slopes(self, phase: str, queries: float) -> tuple[float, float]:
        """Seconds of the core by attended token, and of the indexer by token of context."""
        some, none = (
            self._operators.attention_parts(MANY, context, phase, queries) for context in (1.0, 0.0)
        )
        grown = {name: float(some[name] - none[name]) / MANY for name in CORE if name in some}
        attended = self._operators.model.attended_tokens(1.0)
        return grown["attention"] / attended if attended else 0.0, grown.get("indexer", 0.0)


@kernel
def _at(row: Array, tokens: float) -> float:
    whole = int(tokens)
    seconds: float = row[whole] + (tokens - whole) * (row[whole + 1] - row[whole])
    return seconds


@kernel
def _core(
    tokens: float, context: float, shape: Array, core_slope: float, indexer_slope: float
) -> float:
    mean = context / tokens
    attended = shape[0] * min(mean, shape[1]) + shape[2] * min(mean, shape[3])
    seconds: float = tokens * attended * core_slope + context * indexer_slope
    return seconds


@kernel
def _attention(
    prefill_tokens: Array,
    prefill_context: Array,
    sequences: Array,
    decode_context: Array,
    queries: float,
    span: float,
    rows: Array,
    shape: Array,
    slopes: Array,
    moe: Array,
    dense: Array,
) -> float:
    """Fill ``moe`` and ``dense``; return the most decode tokens of a die.

    Or less the length that the table would need, or minus infinity for an impossible number.
    """
    most: float = 0.0
    for group in range(len(sequences)):
        prompt = prefill_tokens[group] / span
        query = sequences[group] * queries / span
        prompt_context = prefill_context[group] / span
        context = decode_context[group] * queries / span
        # one comparison finds a negative number, one an infinite or missing one (a sum keeps both)
        whole = prompt + query + prompt_context + context
        least = min(min(prompt, query), min(prompt_context, context))
        if not (least >= 0.0 and whole < np.inf):
            return -np.inf
        # two rows beyond the tokens: linear interpolation, and the one more token of the head
        if prompt + query + 3.0 > rows.shape[1]:
            missing: float = -(prompt + query + 3.0)
            return missing
        most = max(most, query)
        of_prompt = 0.0
        of_query = 0.0
        if prompt > 0.0:
            of_prompt = _core(prompt, prompt_context, shape, slopes[2], slopes[3])
        if query > 0.0:
            of_query = _core(query, context, shape, slopes[0], slopes[1])
        # Products over all tokens together, cores and one-phase parts apart; decode alone keeps the
        # saving of its captured graph.
        if prompt > 0.0:
            apart = of_prompt + _at(rows[OF_PREFILL], prompt)
            if query > 0.0:
                apart += of_query + _at(rows[OF_DECODE], query)
            moe[group] = apart + _at(rows[SHARED], prompt + query)
            dense[group] = apart + _at(rows[DENSE_SHARED], prompt + query)
        elif query > 0.0:
            moe[group] = of_query + _at(rows[DECODE], query)
            dense[group] = of_query + _at(rows[DENSE_DECODE], query)
        else:
            moe[group] = 0.0
            dense[group] = 0.0
    return most
