"""Job router: prefill and predicted decode work of each worker, then the longest cached prefix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from schedulers.one_by_one import one_by_one
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class PDAware:
    """Weigh prefill and decode work by what they cost; follow the prefix cache where balanced.

    DeepServe (arXiv:2501.14417) looks a request up in a heat map over prefill length and ratio of
    decode, with an output length predicted in buckets of 128 tokens, then takes the longest match
    in the prompt tree if loads are balanced, else the least load. The map itself is not published.
    Assumptions of ours: a point of the map costs ``seconds_per_prompt_token`` for each prompt
    token that is not cached and ``seconds_per_output_token`` for each predicted token, rounded up
    to whole buckets; a worker's load is the sum over what it has left to do, where the tokens left
    to generate are ``kv_reserved - kv_used``; all workers are equally fast.

    Parameters
    ----------
    seconds_per_prompt_token, seconds_per_output_token
        Time of one worker. The defaults are those of an Ascend 910C, 6,688 prompt tokens/s and
        1,943 output tokens/s (CloudMatrix-Infer, arXiv:2506.12708).
    balanced_within_s
        Loads are balanced if those of the open workers differ by at most so many seconds of work.
    bucket_tokens
        Width of the buckets of predicted output length.
    """

    seconds_per_prompt_token: float = 1 / 6688
    seconds_per_output_token: float = 1 / 1943
    balanced_within_s: float = 1.0
    bucket_tokens: int = 128

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Choose a worker for each request.

        Returns
        -------
        ndarray
            [requests] worker, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If a parameter is no number >= 0, or ``bucket_tokens`` no integer >= 1.
        """
        per_prompt, per_output, within = (
            checked_number(getattr(self, name), name, at_least=0)
            for name in (
                "seconds_per_prompt_token",
                "seconds_per_output_token",
                "balanced_within_s",
            )
        )
        width = checked_integer(self.bucket_tokens, "bucket_tokens", at_least=1)
        # Whole buckets: the length is predicted no better.
        predicted = -(-requests.output_tokens // width) * width
        # Running totals count these requests with the predicted length, too.
        requests = Requests(
            requests.number,
            requests.waited_s,
            requests.prompt_tokens,
            predicted,
            requests.cached_tokens,
        )
        cached = requests.cached_tokens

        def score(assigning: Assigning, index: int, free: NDArray[np.bool_]) -> NDArray[np.float64]:
            to_generate = np.maximum(assigning.kv_reserved - assigning.kv_used, 0)
            work = per_prompt * assigning.waiting_tokens + per_output * to_generate
            if cached is None:
                return work
            open_work = work[free]
            if open_work.max() - open_work.min() > within:
                return work - per_prompt * cached[index]  # what it saves, of a cost equal for all
            # Among equally long matches the least work decides.
            longest = cached[index] == cached[index][free].max()
            return np.where(longest, work, np.inf)

        return one_by_one(requests, workers, score, hits=True)
