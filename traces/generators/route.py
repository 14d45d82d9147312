"""Group-limited top-k routing on given logits, as DeepSeek-V3 does it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def route(
    logits: ArrayLike,
    top_k: int,
    groups: int = 1,
    groups_kept: int = 1,
    bias: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Return the experts that each token chooses.

    A score is the sigmoid of a logit. For the choice, ``bias`` is added to it. A group, of
    neighbouring ids, is worth the sum of its two best; experts compete within the ``groups_kept``
    best groups (DeepSeek-V3, arXiv:2412.19437, section 2.1.2, and the model code published with
    it). Of equal ones the lower id comes first.

    Parameters
    ----------
    logits
        [tokens, experts].
    top_k
        Experts of a token.
    groups, groups_kept
        Of equal size; those that are kept.
    bias
        [experts].

    Returns
    -------
    ndarray
        [tokens, top_k] ids, best first.

    Raises
    ------
    ValueError
        If the groups do not divide the experts, or hold fewer than ``top_k`` in those kept.

    Examples
    --------
    >>> route([[3.0, 0.0, 2.0, 2.0]], top_k=2, groups=2, groups_kept=1).tolist()
    [[2, 3]]
    """
    from traces.generators.choose import choose_all

    values = np.asarray(logits, np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"logits has shape {values.shape}; give finite ones [tokens, experts]")
    experts = values.shape[1]
    if groups < 1 or experts % groups:
        raise ValueError(f"groups = {groups} do not divide {experts} experts evenly")
    if not 1 <= groups_kept <= groups:
        raise ValueError(f"groups_kept = {groups_kept} is outside 1 <= groups_kept <= {groups}")
    candidates = experts // groups * groups_kept
    if not 1 <= top_k <= candidates:
        raise ValueError(
            f"top_k = {top_k} is outside 1 <= top_k <= {candidates} experts of kept groups"
        )
    scores = 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    if bias is not None:
        scores = scores + np.broadcast_to(np.asarray(bias, np.float64), scores.shape)
    out = np.empty((len(scores), top_k), np.int64)
    choose_all(scores, groups, groups_kept, out)
    return out
