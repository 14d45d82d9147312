"""Signatures of requests: which experts their prompts choose (ELDR, arXiv:2607.00466)."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_state import Live
from evaluation.serving.pricing.expert_load import ExpertLoad

#: Pairs of layer and expert that a signature has, those that differ most between domains, and
#: prompt tokens that it is drawn from at most: assumptions of ours.
FEATURES, TOKENS = 256, 256
#: Tokens of every domain that the pairs are chosen by.
CHOSEN_BY = 4096


class Signatures:
    """Unit vectors of the experts that a request's prompt chose.

    A prompt's tokens are drawn from the routing of its domain, of long prompts the first 256, once
    for each request and with a generator of its own.

    Parameters
    ----------
    load
        Draws experts.
    live
        The requests.
    seed
        Of the draws.
    """

    def __init__(self, load: ExpertLoad, live: Live, seed: int) -> None:
        self._load, self._live, self._seed = load, live, seed
        each = np.eye(len(load.domains)) * CHOSEN_BY
        random = np.random.default_rng([seed, 5])
        means = np.array([load(tokens, random).ravel() for tokens in each], dtype=np.float64)
        spread = means.var(axis=0) if len(means) > 1 else means[0]
        self._pairs = np.argsort(-spread, kind="stable")[:FEATURES]
        self._found: dict[int, NDArray[np.float64]] = {}

    @property
    def features(self) -> int:
        """Length of a signature."""
        return len(self._pairs)

    def __call__(self, requests: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return [requests, features] unit vectors."""
        return np.array([self._signature(request) for request in requests.tolist()])

    def _signature(self, request: int) -> NDArray[np.float64]:
        if request not in self._found:
            live = self._live
            tokens = np.zeros(len(self._load.domains))
            tokens[live.domain[request]] = min(int(live.trace.prompt_tokens[request]), TOKENS)
            random = np.random.default_rng([self._seed, 6, request])
            counts = self._load(tokens, random).ravel()[self._pairs].astype(np.float64)
            self._found[request] = counts / (np.linalg.norm(counts) or 1.0)
        return self._found[request]

    def forget(self, request: int) -> None:
        """Drop what is kept of a request that has finished."""
        self._found.pop(request, None)
