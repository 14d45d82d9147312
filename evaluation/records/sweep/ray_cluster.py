"""Tasks on a Ray cluster, whose machines need not have the user's files, nor podlab."""

import hashlib
import os
import pickle
import socket
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np

from evaluation.records import record_file, source_hash
from evaluation.records.sweep import bootstrap, payload
from evaluation.records.sweep.bootstrap import Manifest
from evaluation.records.sweep.task import Lost, Record, Task

LOCAL = "local"
AUTO = "auto"
#: Seconds within which the head of a cluster takes a connection.
ANSWER_S = 10.0


def _check_answers(address: str) -> None:
    """Raise ConnectionError if nobody listens there: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address in (LOCAL, AUTO):
        return
    if not host or not port.isdecimal():
        raise ValueError(f"Ray address {address!r}; give HOST:PORT, {AUTO} or {LOCAL}")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(
            f"no Ray cluster answers at {address} ({error}); start one there by `ray start --head`"
        ) from None


class RayCluster:
    """A backend of Ray tasks, one for each CPU of the cluster; records come back to this process.

    Ray's own retries are off: they would be silent. A task whose worker or machine died is a loss
    like any other. Within a worker of Ray's it runs in a process of its own, so that a crash of a
    solver is told like on this machine.

    Parameters
    ----------
    address
        "local" starts a cluster of this machine alone; "auto" or an address joins one that runs. A
        connection that the caller has already is used, and left open.
    tasks
        All that will be submitted: what files they name is seen now.
    time_limit_s
        Seconds that a task may take; None for any.

    Raises
    ------
    ImportError
        If Ray is missing.
    ConnectionError
        If there is no cluster of that address.
    ValueError
        If that is no address.
    """

    def __init__(
        self, address: str, tasks: Iterable[Task], time_limit_s: float | None = None
    ) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when ray is imported
        try:
            import ray
        except ImportError:
            raise ImportError("--ray needs Ray: pip install 'podlab[ray]'") from None
        self._ray: Any = ray
        self._address = address
        self._names = payload.own_files(tasks)
        self._time_limit_s = time_limit_s
        self._open: deque[tuple[int, bytes]] = deque()
        self._running: dict[Any, int] = {}
        self._ours = False

    def submit(self, number: int, task: Task) -> None:
        """Take a task."""
        self._open.append((number, pickle.dumps(task)))

    def next(self) -> tuple[int, Record | Lost]:
        """Keep the cluster busy until one of the tasks has ended."""
        ray = self._ray
        while self._open and len(self._running) < self._at_once():
            number, task = self._open.popleft()
            self._running[self._attempt.remote(self._manifest, task)] = number
        [done], _ = ray.wait(list(self._running), num_returns=1)
        number = self._running.pop(done)
        try:
            found = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            return number, Lost(f"its Ray worker or node died ({type(error).__name__})")
        if isinstance(found, Lost):
            return number, found
        # the code is the same, but who runs a copy of it cannot tell the commit
        provenance = record_file.provenance()
        return number, found | {key: provenance[key] for key in ("podlab", "commit")}

    def __enter__(self) -> Self:
        """Join the cluster, or start it, and put there what tasks need."""
        ray = self._ray
        if not ray.is_initialized():
            local = {"include_dashboard": False} if self._address == LOCAL else {}
            _check_answers(self._address)
            ray.init(self._address, log_to_driver=False, logging_level="error", **local)
            self._ours = True
        ray.cloudpickle.register_pickle_by_value(bootstrap)
        self._attempt = ray.remote(num_cpus=1, max_retries=0)(bootstrap.attempt)
        try:
            self._manifest = ray.put(self._filled())
        except BaseException as error:  # a file may be gone by now
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End what runs, and the cluster or the connection if they were made here."""
        ray = self._ray
        for reference in self._running:
            ray.cancel(reference, force=True)
        ray.cloudpickle.unregister_pickle_by_value(bootstrap)
        if self._ours:
            ray.shutdown()

    def _at_once(self) -> int:
        """Return how many tasks Ray holds: enough for the cluster to be busy, and to grow."""
        return 8 + 2 * int(self._ray.cluster_resources().get("CPU", 0))

    def _filled(self) -> Manifest:
        """Return what tasks need; contents go to the object store, once, if any other has them."""
        ray = self._ray
        elsewhere = self._address != LOCAL
        files = {}
        for name in self._names:
            content = np.fromfile(name, dtype=np.uint8)
            digest = hashlib.sha256(content.data).hexdigest()
            files[name] = digest, ray.put(content) if elsewhere else None
        return Manifest(
            packages=source_hash.PACKAGES,
            code_hash=source_hash.code_hash(),
            code=ray.put(payload.code()) if elsewhere else None,
            folder=str(Path.cwd()),
            files=files,
            time_limit_s=self._time_limit_s,
        )
