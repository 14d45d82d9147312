"""A task that does what it is told to, and leaves a mark each time that it is begun."""

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
    """A task of that name, which does ``acts[n]`` when it is begun for the n-th time.

    An act is "ends", "raises", "hangs", "exits CODE", "killed SIGNAL", "spawns", or "until FILE".
    The last act goes on for ever after.
    """

    name: str
    marks: Path
    acts: tuple[str, ...] = ("ends",)

    def path(self, folder):
        """One file a name."""
        return folder / "toys" / f"{self.name}.json"

    def failed(self, reason):
        """What the real tasks do."""
        return record_file.begun(solver=self.name) | record_file.lost(reason)

    def times(self):
        """How often it was begun."""
        return len(list(self.marks.glob(f"{self.name}.*")))

    def run(self):
        """Leave a mark, and act."""
        act, _, what = self.acts[min(self.times(), len(self.acts) - 1)].partition(" ")
        (self.marks / f"{self.name}.{self.times()}").write_text(str(os.getpid()))
        if act == "raises":
            raise ValueError(f"{self.name} raises")
        if act == "exits":
            os._exit(int(what))
        if act == "killed":
            os.kill(os.getpid(), signal.Signals[what])
        if act == "spawns":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
            (self.marks / "child").write_text(str(child.pid))
        while act in ("hangs", "spawns") or (act == "until" and not Path(what).exists()):
            time.sleep(0.02)
        return record_file.begun(solver=self.name) | {
            "status": "ok",
            "scores": {"length": len(self.name)},
            "threads": os.environ.get("NUMBA_NUM_THREADS"),
        }
