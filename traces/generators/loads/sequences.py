"""Tokens of one request are alike: how much, measured, and counts of requests that are so.

The measure is the correlation of two tokens of one request in whether they take an expert. With
correlation r the number of n tokens that take an expert of chance c has the variance
``n c (1 - c) (1 + (n - 1) r)``; without, the tokens of a request would be binomial. It holds of
tokens that are far apart. Neighbours are more alike still: in the bundled recordings 0.06 to 0.17
for the next token, and within some 32 tokens that is gone.

Loads of a batch of N requests that run at a time differ from those of the law by
``sqrt(r (1 - c) / (c N))``, relatively, for as long as these requests run.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import checked_integer
from traces.tokens import TokenTrace

#: Correlation in the three bundled recordings of DeepSeek-V2-Lite together, 180 requests of three
#: tasks: what holds where the domains of requests are not told apart.
MIXED_CORRELATION = 0.055
#: Mean of the three by themselves: summary 0.0093, translation 0.0016, intent -0.0011. Prompts of
#: intent repeat one long instruction, which makes them more alike than chance would.
DOMAIN_CORRELATION = 0.0033


def sequence_correlation(trace: TokenTrace) -> float:
    """Return how alike the tokens of one recorded sample are, over all experts and layers.

    The intraclass correlation of a one-way analysis of variance, with the variances of all experts
    and layers added up. It is about 0 if samples are random parts of one text, and may be slightly
    negative.

    Parameters
    ----------
    trace
        Tokens with ``sample_lengths``, at least two samples.

    Raises
    ------
    ValueError
        If the trace does not say where samples end, or has one alone.

    References
    ----------
    .. [1] A. Donner, A review of inference procedures for the intraclass correlation coefficient in
       the one-way random effects model, Int. Stat. Rev. 54, 1986. https://doi.org/10.2307/1403259
    """
    lengths = trace.sample_lengths
    if lengths is None or len(lengths) < 2 or len(lengths) == trace.num_tokens:
        number = "no lengths of samples" if lengths is None else f"{len(lengths)} samples"
        raise ValueError(f"the trace has {number}; give at least two, longer than one token")
    size = lengths.astype(np.float64)[:, None]
    end = np.cumsum(lengths)
    between = within = 0.0
    # The size that stands for samples of unequal size in the analysis of variance (Donner 1986).
    weight = (size.sum() - (size**2).sum() / size.sum()) / (len(size) - 1)
    for layer in range(trace.num_layers):
        parts = np.split(trace.experts[:, layer], end[:-1])
        counts = np.stack(
            [np.bincount(part.ravel(), minlength=trace.num_experts) for part in parts]
        )
        mean = counts.sum(axis=0) / size.sum()
        # Mean squares between samples and within them.
        between += float((size * (counts / size - mean) ** 2).sum() / (len(size) - 1))
        within += float((counts * (1 - counts / size)).sum() / (size.sum() - len(size)))
    return (between - within) / (between + (float(weight) - 1) * within)


def sequence_counts(
    chance: NDArray[np.float64], tokens: ArrayLike, correlation: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return how often the tokens of each request took each expert.

    Every request has shares of its own, Dirichlet around those of the law, and its choices are
    multinomial in them: the Dirichlet-multinomial law. Layers are independent. That a token takes
    no expert twice is not held.

    Parameters
    ----------
    chance
        [layers, experts] chances of a token, adding up to top_k in each layer
        (:meth:`traces.generators.loads.LoadLaw.chance`).
    tokens
        [requests] tokens of each request.
    correlation
        Of two tokens of a request; 0: the tokens are independent.
    random
        Generator.

    Returns
    -------
    ndarray
        [requests, layers, experts]

    Raises
    ------
    ValueError
        If a number is out of its range.
    """
    lengths = np.asarray(tokens)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any():
        raise ValueError(f"tokens = {tokens!r}; give [requests] whole numbers, 0 or more")
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation = {correlation} is outside 0 <= correlation < 1")
    top_k = checked_integer(round(float(chance[0].sum())), "top_k")
    share = chance / chance.sum(axis=1, keepdims=True)
    counts = np.empty((len(lengths), *chance.shape), np.int64)
    for request, length in enumerate(lengths):
        own = share
        if correlation:
            # Gamma variables, divided by their sum, are Dirichlet.
            own = random.standard_gamma(share * concentration(top_k, correlation))
            own = np.maximum(own, 1e-300)
            own /= own.sum(axis=1, keepdims=True)
        counts[request] = random.multinomial(int(length) * top_k, own)
    return counts


def concentration(top_k: int, correlation: float) -> float:
    """Return the sum of the parameters of the Dirichlet law of a request's shares.

    A share s of concentration A has the variance ``s (1 - s) / (1 + A)``. A chance is top_k shares,
    and its variance is to be ``c (1 - c) r``. For c far below 1, ``1 + A = top_k / r``.
    """
    return top_k / correlation - 1
