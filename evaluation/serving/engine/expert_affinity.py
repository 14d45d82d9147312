"""Expert-affinity features: the experts that prompts choose (ELDR, arXiv:2607.00466)."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.token_conditions import TokenConditions
from traces.requests import RequestTrace
from traces.workload.routing_model import RoutingModel

#: Number of features, each a pair of layer and expert, those that differ most between conditions of
#: prompts, and the most prompt tokens that features are drawn from: assumptions of ours.
FEATURES, TOKENS = 256, 256
#: Tokens of every condition that the pairs are chosen by.
SELECTION_TOKENS = 4096


class ExpertAffinity:
    """Unit vectors of the experts that the prompts of requests chose.

    The tokens of a prompt are drawn from the routing, at the time 0, of long prompts the first 256.
    They are drawn once for each request, with a generator of its own.

    Parameters
    ----------
    routing
        Draws experts.
    trace
        The requests.
    conditions
        Conditions of their tokens.
    seed
        Random seed.
    """

    def __init__(
        self, routing: RoutingModel, trace: RequestTrace, conditions: TokenConditions, seed: int
    ) -> None:
        self._sampler, self._trace, self._seed = routing.sampler(), trace, seed
        self._conditions = conditions.prefill[:, 0]
        self._number = conditions.number
        used = np.unique(self._conditions)
        tokens = np.zeros((len(used), self._number), dtype=np.int64)
        tokens[np.arange(len(used)), used] = SELECTION_TOKENS
        counts = self._sampler.draw(tokens, 0, np.random.default_rng([seed, 5]))
        means = counts.reshape(len(used), -1).astype(np.float64)
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
            tokens = np.zeros((1, self._number), dtype=np.int64)
            prompt = min(int(self._trace.prompt_tokens[request]), TOKENS)
            tokens[0, self._conditions[request]] = prompt
            random = np.random.default_rng([self._seed, 6, request])
            counts = self._sampler.draw(tokens, 0, random)[0].ravel()[self._pairs]
            features = counts.astype(np.float64)
            self._features[request] = features / (np.linalg.norm(features) or 1.0)
        return self._features[request]
