"""Ask a router, and tell who was assigned from who waits on."""

from schedulers.protocols import Router
from schedulers.views import HOLD, Requests, Workers


def ask(
    router: Router, requests: Requests, workers: Workers
) -> tuple[list[tuple[int, int]], list[int]]:
    """Return (request, worker) of those assigned and the requests held, in the order shown."""
    answer = zip(requests.number.tolist(), router(requests, workers).tolist(), strict=True)
    pairs = list(answer)
    assigned = [(request, worker) for request, worker in pairs if worker != HOLD]
    return assigned, [request for request, worker in pairs if worker == HOLD]
