"""Expert-affinity features: the experts that prompts choose (ELDR, arXiv:2607.00466)."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.expert_load import ExpertLoad
from traces.requests import RequestTrace

#: Number of features, each a pair of layer and expert, those that differ most between domains, and
#: the most prompt tokens that features are drawn from: assumptions of ours.
FEATURES, TOKENS = 256, 256
#: Tokens of every domain that the pairs are chosen by.
SELECTION_TOKENS = 4096


class ExpertAffinity:
    """Unit vectors of the experts that the prompts of requests chose.

    The tokens of a prompt are drawn from the routing of its domain, of long prompts the first 256.
    They are drawn once for each request, with a generator of its own.

    Parameters
    ----------
    load
        Draws experts.
    trace
        The requests.
    seed
        Random seed.
    """

    def __init__(self, load: ExpertLoad, trace: RequestTrace, seed: int) -> None:
        self._load, self._trace, self._seed = load, trace, seed
        each = np.eye(len(load.domains)) * SELECTION_TOKENS
        random = np.random.default_rng([seed, 5])
        means = np.array([load(tokens, random).ravel() for tokens in each], dtype=np.float64)
        spread = means.var(axis=0) if len(means) > 1 else means[0]
        self._pairs = np.argsort(-spread, kind="stable")[:FEATURES]
        self._features: dict[int, NDArray[np.float64]] = {}

    @property
    def num_features(self) -> int:
        """Length of a vector."""
        return len(self._pairs)

    def __call__(self, requests: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return [requests, features] unit vectors."""
        return np.array([self.of(request) for request in requests.tolist()])

    def of(self, request: int) -> NDArray[np.float64]:
        """Return the [features] unit vector of a request."""
        if request not in self._features:
            domain = 0 if self._trace.domain is None else int(self._trace.domain[request])
            tokens = np.zeros(len(self._load.domains))
            tokens[domain] = min(int(self._trace.prompt_tokens[request]), TOKENS)
            random = np.random.default_rng([self._seed, 6, request])
            counts = self._load(tokens, random).ravel()[self._pairs].astype(np.float64)
            self._features[request] = counts / (np.linalg.norm(counts) or 1.0)
        return self._features[request]
