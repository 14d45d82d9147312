"""Probability that a token chooses each expert, if it takes the top k of perturbed logits.

A token that adds independent Gumbel noise to the logits ``z`` and takes the k largest chooses as k
draws without replacement with weights ``exp(z)`` do; equivalently, every expert rings after an
exponential time of rate ``exp(z)`` and the first k to ring are chosen. With many experts the time
of the k-th ring hardly varies, and the chance to be among the first k is
``1 - exp(-tau exp(z))`` with the one ``tau`` for which these add up to k (Rosén, Asymptotic theory
for order sampling, J. Stat. Plan. Inference 62, 1997). That is what is used here. For k = 1 the
exact answer, the softmax, is.
"""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel


@kernel
def fill_inclusion(
    logits: NDArray[np.float64], top_k: int, tau: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill ``out`` [rows, experts] with the selection probabilities for ``logits`` [rows, experts].

    ``tau`` [rows] is where the search begins, 0 where nothing is known, and is left at what it
    found.
    """
    rows, experts = logits.shape
    for row in range(rows):
        if top_k == experts:
            out[row] = 1.0
            continue
        weight = out[row]
        top = logits[row].max()
        whole = 0.0
        # Relative to the largest, so that exp stays in range.
        for expert in range(experts):
            weight[expert] = np.exp(logits[row, expert] - top)
            whole += weight[expert]
        if top_k == 1:
            weight /= whole
            continue
        # below the root, from where Newton's steps on a concave function never overshoot
        least = top_k / whole
        time = max(least, tau[row])
        for _ in range(200):
            # How many experts have rung by the time, and how fast this number grows.
            found = 0.0
            slope = 0.0
            for expert in range(experts):
                missed = np.exp(-time * weight[expert])
                found += 1.0 - missed
                slope += weight[expert] * missed
            if abs(found - top_k) < 1e-9 * top_k:
                break
            step = (top_k - found) / slope if slope > 0.0 else -time
            time = max(least, time + step)
        tau[row] = time
        whole = 0.0
        for expert in range(experts):
            weight[expert] = 1.0 - np.exp(-time * weight[expert])
            whole += weight[expert]
        # Exactly top_k in sum, whatever the search left.
        weight *= top_k / whole


def inclusion(logits: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
    """Return the probability that a token chooses each expert.

    Parameters
    ----------
    logits
        [..., experts] logarithms of weights; a constant added to all experts changes nothing.
    top_k
        Experts that a token chooses.

    Returns
    -------
    ndarray
        [..., experts], adding up to ``top_k``. Exact for ``top_k`` 1; beyond, see the module.

    Examples
    --------
    >>> inclusion(np.log([[6.0, 3.0, 1.0]]), 1).round(3).tolist()
    [[0.6, 0.3, 0.1]]
    """
    flat = np.ascontiguousarray(logits, np.float64).reshape(-1, logits.shape[-1])
    out = np.empty_like(flat)
    fill_inclusion(flat, top_k, np.zeros(len(flat)), out)
    return out.reshape(logits.shape)


def logits_of(inclusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits that give the selection probabilities ``inclusion`` [..., experts] in (0, 1).

    The inverse of :func:`inclusion` in closed form, up to the constant of each layer, which is
    chosen so that the logits average 0. Where the probabilities add up to one, softmax is meant.
    """
    single = np.isclose(inclusion.sum(axis=-1, keepdims=True), 1.0)
    logits = np.where(single, np.log(inclusion), np.log(-np.log1p(-inclusion)))
    return logits - logits.mean(axis=-1, keepdims=True)
