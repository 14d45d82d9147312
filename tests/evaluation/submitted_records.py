"""Records of a small run, one of a solver from a file, and what packs them."""

import json
from dataclasses import replace

import pytest

from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox import Limits
from evaluation.kinds import suite_file
from evaluation.kinds.task import tasks
from evaluation.records import sweep

THIRD_PARTY = """
import numpy as np
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    order = np.argsort(-weight, axis=1)
    return np.hstack([order, order])[:, :num_replicas]
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Run two solvers on the quickest scenario; return the folder of records and the file."""
    folder = tmp_path_factory.mktemp("made")
    file = folder / "third_party.py"
    file.write_text(THIRD_PARTY)
    whole = suite_file.load("quick")
    chosen = [one for one in whole.scenarios if one.id == "v2lite-decode-ep16"][:1]
    small = replace(whole, scenarios=tuple(chosen), seeds=(0,))
    candidates = [Candidate("greedy"), Candidate(str(file), limits=Limits())]
    sweep.run(tasks(small, candidates), folder / "records")
    return folder / "records", file


@pytest.fixture
def records(made, tmp_path):
    """Return a copy of the records, and a function that edits one of a solver."""
    source, _ = made
    folder = tmp_path / "records"
    for path in source.rglob("*.json"):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    def edit(solver, change):
        for path in folder.rglob(f"*--{solver}--*.json"):
            record = json.loads(path.read_text())
            change(record)
            path.write_text(json.dumps(record))

    return folder, edit
