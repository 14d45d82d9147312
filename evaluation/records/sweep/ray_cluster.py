"""Run tasks on a Ray cluster, whose nodes need neither the user's files nor podlab."""

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
from evaluation.records.sweep.task import LostTask, Preparation, Record, SweepTask

LOCAL = "local"
AUTO = "auto"
#: Timeout of a connection to the head of a cluster, seconds.
CONNECT_TIMEOUT_S = 10.0


def _check_answers(address: str) -> None:
    """Raise ConnectionError if no cluster listens at an address: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address in (LOCAL, AUTO):
        return
    if not host or not port.isdecimal():
        raise ValueError(f"Ray address {address!r}; give HOST:PORT, {AUTO} or {LOCAL}")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(
            f"no Ray cluster answers at {address} ({error}); start one there by `ray start --head`"
        ) from None


class RayCluster:
    """Backend of Ray tasks, one for each CPU of the cluster. Records return to this process.

    Ray's own retries are off, because they are silent. A task whose Ray worker or node died is a
    lost task like any other. A Ray worker runs the task in a separate process, so that a crash of
    a solver has the same reason as on this machine.

    Parameters
    ----------
    address
        "local" starts a cluster on this machine. "auto" or an address joins a running cluster. An
        existing connection of the caller is used and left open.
    tasks
        All tasks that will be submitted. The files that they name are collected now.
    time_limit_s
        Time limit of a task in seconds; ``None``: no limit.

    Raises
    ------
    ImportError
        If Ray is not installed.
    ConnectionError
        If no cluster answers at the address.
    ValueError
        If the address is invalid.
    """

    def __init__(
        self, address: str, tasks: Iterable[SweepTask], time_limit_s: float | None = None
    ) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when ray is imported
        try:
            import ray
        except ImportError:
            raise ImportError("--ray needs Ray: pip install 'podlab[ray]'") from None
        self._ray: Any = ray
        self._address = address
        self._names = payload.user_files(tasks)
        self._time_limit_s = time_limit_s
        self._queue: deque[tuple[int, bytes]] = deque()
        self._running: dict[Any, int] = {}
        self._owns_connection = False

    def submit(self, number: int, task: SweepTask | Preparation) -> None:
        """Append a task to the queue."""
        self._queue.append((number, pickle.dumps(task)))

    def next(self) -> tuple[int, Record | LostTask]:
        """Keep the cluster busy until one of the tasks has ended."""
        ray = self._ray
        while self._queue and len(self._running) < self._max_running():
            number, task = self._queue.popleft()
            self._running[self._attempt.remote(self._manifest, task)] = number
        [done], _ = ray.wait(list(self._running), num_returns=1)
        number = self._running.pop(done)
        try:
            outcome = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            return number, LostTask(f"its Ray worker or node died ({type(error).__name__})")
        if isinstance(outcome, LostTask):
            return number, outcome
        # The node runs the same code, but from a copy that does not know version and commit.
        provenance = record_file.provenance()
        return number, outcome | {key: provenance[key] for key in ("podlab", "commit")}

    def __enter__(self) -> Self:
        """Join or start the cluster, and put code and files into its object store."""
        ray = self._ray
        if not ray.is_initialized():
            local = {"include_dashboard": False} if self._address == LOCAL else {}
            _check_answers(self._address)
            ray.init(self._address, log_to_driver=False, logging_level="error", **local)
            self._owns_connection = True
        # By value: a node without podlab could not import the module.
        ray.cloudpickle.register_pickle_by_value(bootstrap)
        self._attempt = ray.remote(num_cpus=1, max_retries=0)(bootstrap.attempt)
        try:
            self._manifest = ray.put(self._create_manifest())
        except BaseException as error:  # for example a file that was deleted meanwhile
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Cancel running tasks, and close the cluster or connection if this object opened it."""
        ray = self._ray
        for reference in self._running:
            ray.cancel(reference, force=True)
        ray.cloudpickle.unregister_pickle_by_value(bootstrap)
        if self._owns_connection:
            ray.shutdown()

    def _max_running(self) -> int:
        """Return how many tasks Ray gets at once: enough to keep a growing cluster busy."""
        return 8 + 2 * int(self._ray.cluster_resources().get("CPU", 0))

    def _create_manifest(self) -> Manifest:
        """Return the manifest; files and code go to the object store once per sweep."""
        ray = self._ray
        # A local cluster sees the files and the code of this machine: nothing needs to travel.
        is_remote = self._address != LOCAL
        files = {}
        for name in self._names:
            content = np.fromfile(name, dtype=np.uint8)
            digest = hashlib.sha256(content.data).hexdigest()
            files[name] = digest, ray.put(content) if is_remote else None
        return Manifest(
            packages=source_hash.PACKAGES,
            code_hash=source_hash.code_hash(),
            code=ray.put(payload.code()) if is_remote else None,
            folder=str(Path.cwd()),
            files=files,
            time_limit_s=self._time_limit_s,
        )
