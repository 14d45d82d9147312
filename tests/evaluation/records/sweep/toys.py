"""A toy task with scripted behaviour, which counts how often it starts."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from evaluation.records import record_file


@dataclass(frozen=True)
class Toy:
    """A task that does ``acts[n]`` when it starts for the n-th time.

    An act is "ends", "raises", "hangs", "exits CODE", "killed SIGNAL", "spawns", or "until FILE".
    The last act is repeated after that.
    """

    name: str
    marks: Path
    acts: tuple[str, ...] = ("ends",)

    def path(self, folder):
        """Return a file by the name of the task."""
        return folder / "toys" / f"{self.name}.json"

    def failed(self, reason):
        """Return a failed record, as real tasks do."""
        return record_file.new_record(solver=self.name) | record_file.process_failure(reason)

    def times(self):
        """Return how often the task started."""
        return len(list(self.marks.glob(f"{self.name}.*")))

    def run(self):
        """Write a file that marks the start, and do the act."""
        act, _, argument = self.acts[min(self.times(), len(self.acts) - 1)].partition(" ")
        (self.marks / f"{self.name}.{self.times()}").write_text(str(os.getpid()))
        if act == "raises":
            raise ValueError(f"{self.name} raises")
        if act == "exits":
            os._exit(int(argument))
        if act == "killed":
            os.kill(os.getpid(), signal.Signals[argument])
        if act == "spawns":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
            (self.marks / "child").write_text(str(child.pid))
        while act in ("hangs", "spawns") or (act == "until" and not Path(argument).exists()):
            time.sleep(0.02)
        return record_file.new_record(solver=self.name) | {
            "status": "ok",
            "scores": {"length": len(self.name)},
            "threads": os.environ.get("NUMBA_NUM_THREADS"),
        }
