"""The cases: which commands run, and into which files they write.

A case is a list of steps. A step is the file that keeps its standard output, and its arguments:
those of ``python -m evaluation``, or a program and its arguments. The suffix of the file says how
it is compared. ``{here}`` is the folder of the case, ``{inputs}`` the folder of the files in
INPUTS. The cases in LONG run only if they are named.
"""

from pathlib import Path

Step = tuple[str, list[str]]
QUICK_SOLVERS = "contiguous eplb greedy hierarchical incremental local-search random robust "
QUICK_SOLVERS += "xdeepserve"
SLOW_SOLVERS = "affinity auto ilp learned"
SCENARIOS = "azure-4p1d azure-busy domains-decode domains-prefill faults-recovery rebalance-drift "
SCENARIOS += "small-2p2d xdeepserve-colocated xdeepserve-disaggregated"
HELP = "bench,calibrate,check,compete,explain,fabric,fabric show,leaderboard,leaderboard show,"
HELP += "leaderboard verify,list,plan,report,simulate,solve,submit,timeline,trace,trace cat,"
HELP += "trace cut,trace export,trace fit,trace formats,trace generate,trace import,trace info,"
HELP += "validate,when"

#: Cases that take minutes.
LONG = ("suite-quick-slow", "suite-serving-whole", "suite-faults-whole")
#: The bundled suites for schedulers and recoveries, made smaller: no option of bench does that.
SMALLER = Path(__file__).parent / "suites"

#: Files that cases read: counts of 4 layers and 64 experts, and solvers with their faults.
INPUTS = {
    **{path.name: path.read_text(encoding="utf-8") for path in sorted(SMALLER.glob("*.toml"))},
    "loads.csv": "".join(
        ",".join(str(layer + 7 * expert) for expert in range(64)) + "\n" for layer in range(1, 5)
    ),
    "stranger.py": """import lb
import numpy as np

def solver(problem):
    layers, experts = problem.planned_load.shape
    slots = problem.num_ranks * problem.slots_per_rank
    order = np.argsort(-problem.planned_load, axis=1, kind="stable")
    table = np.concatenate([order, order[:, : slots - experts]], axis=1)
    return lb.Placement(table, problem.num_ranks)
""",
    "raises.py": "def solver(problem):\n    raise ValueError('no answer today')\n",
    "wrong.py": "import numpy as np\n\ndef solver(problem):\n    return np.zeros((2, 3), int)\n",
    "leaves.py": "import os\n\ndef solver(problem):\n    os._exit(3)\n",
    "entry.py": """import numpy as np

def rebalance(hotness, n_device, n_red_expert):
    layers, experts = np.asarray(hotness).shape[-2:]
    slots = np.arange(experts + n_red_expert) % experts
    return 1, list(range(layers)), np.tile(slots.reshape(n_device, -1), (layers, 1, 1)), None
""",
    "evaluate.py": """import lb
from evaluation import evaluate

def contiguous(problem):
    slots = problem.num_ranks * problem.slots_per_rank
    row = [slot % problem.num_experts for slot in range(slots)]
    return lb.Placement([row] * problem.num_layers, problem.num_ranks)

print("[", evaluate("greedy", "quick").to_json(), ",", sep="")
print(evaluate(contiguous, "quick", seed=1).to_json(), "]")
""",
    "evolve.py": """import json
import sys

import traces
from evaluation.evolve import evaluate, evaluate_stage1

try:
    from evaluation.evolve import EvolutionWorkload as Workload
except ImportError:  # a checkout of before the class had that name
    from evaluation.workload import Workload

program = "examples/evolve/initial_program.py"
own = Workload.of_trace(traces.load("deepseek-v3-decode", "routing"), window_steps=64)
found = [evaluate(program, windows=1), evaluate(program, [own], windows=1)]
print(json.dumps([*found, evaluate(sys.argv[1], windows=1)]))
""",
}


def suite(name: str, options: str, *more: Step) -> list[Step]:
    """Return the steps of a suite: records, standings as JSON, and both tables."""
    show = ["leaderboard", "show", "{here}/records"]
    bench = ["bench", "--suite", name, "--out", "{here}/records", *options.split()]
    return [
        ("bench.json", [*bench, "--json"]),
        ("bench-table.txt", [*bench, "--by-scenario"]),
        ("show.json", [*show, "--json"]),
        ("show-table.txt", show),
        *more,
    ]


def solvers(names: str, seed: int | None = 0) -> str:
    """Return the options for solvers, and one seed unless None."""
    chosen = " ".join(f"--solver {name}" for name in names.split())
    return chosen if seed is None else f"{chosen} --seed {seed}"


def simulated(name: str) -> list[Step]:
    """Return the steps of a serving scenario: summary, requests, samples, steps and faults."""
    files = "--out {here}/requests.csv --samples {here}/samples.csv --timeline {here}/steps.json"
    files += " --between 0,2 --faults {here}/faults.toml"
    few = ["simulate", name, "--requests", "40"]
    if name == "faults-recovery":
        few = ["simulate", name, "--until", "60"]
    report = ["--report", "{here}/report.html"] if name == "small-2p2d" else []
    steps: list[Step] = [("summary.json", [*few, "--json", *files.split(), *report])]
    return [*steps, ("table.txt", few)] if name in ("small-2p2d", "faults-recovery") else steps


def solved() -> list[Step]:
    """Return the steps that write a placement in every format."""
    suffixes = {"deepseek": "npz", "json": "json", "npy": "npy", "sglang": "json"}
    suffixes |= {"tensorrt-llm": "yaml", "vllm": "json", "vllm-ascend": "json"}
    few = ["solve", "{inputs}/loads.csv", "--ranks", "8", "--redundant", "8"]
    return [
        (f"{name}.txt", [*few, "--format", name, "--out", f"{{here}}/{name}-file.{suffix}"])
        for name, suffix in suffixes.items()
    ]


def refused() -> list[Step]:
    """Return commands that end with an error: what they say is kept, and their exit code."""
    lines = {
        "solver": "bench --suite quick --solver gredy --out {here}/none",
        "suite": "bench --suite nosuch --out {here}/none",
        "serving-solver": "bench --suite serving --solver greedy --out {here}/none",
        "option": "bench --nosuch",
        "seed": "bench --seed -1",
        "records": "leaderboard show {here}/none",
        "submission": "leaderboard verify {inputs}/loads.csv",
        "report": "report {here}/none --out {here}/site",
        "scenario": "simulate nosuch",
        "plan": "plan azure-busy --prefill 0",
        "loads": "solve {here}/none.csv --ranks 8 --redundant 8 --out {here}/none.json",
        "slots": "solve {inputs}/loads.csv --ranks 7 --redundant 8 --out {here}/none.json",
        "format": "solve {inputs}/loads.csv --ranks 8 --format nosuch --out {here}/none.json",
        "explain": "explain greedy nosuch",
        "when": "when --skew a",
        "fabric": "fabric show nosuch",
        "trace": "trace info nosuch",
        "import": "trace import {inputs}/entry.py {here}/none.parquet",
        "check": "check nosuch",
        "check-wrong": "check {inputs}/wrong.py:solver",
        "anchors": "validate --family nosuch",
        "calibrate": "calibrate nosuch",
        "compete": "compete --charge nosuch",
        "timeline": "timeline nosuch --out {here}/none.json",
    }
    return [(f"{name}.txt", line.split()) for name, line in lines.items()]


def others() -> dict[str, list[Step]]:
    """Return the cases of all other commands."""
    lines = {
        "plan": {
            "plan.json": "plan azure-busy --prefill 1,2 --decode-dies 32 --requests 100 --json "
            "--out {here}/plan.csv --write {here}/best.toml",
            "table.txt": "plan azure-busy --prefill 1,2 --decode-dies 32 --requests 100 --all",
        },
        "validate": {"validate.json": "validate --json", "table.txt": "validate --all"},
        "explain": {
            "explain.json": "explain contiguous greedy --json",
            "table.txt": "explain contiguous greedy",
            "trace.json": "explain eplb random olmoe-domains --suite quick --scenario "
            "v2lite-decode-ep16 --model olmoe-1b-7b --json",
        },
        "when": {
            "table.txt": "when --ranks 32 --batch 32 --csv {here}/cells.csv",
            "when.json": "when --ranks 32,64 --batch 8 --drift 0.3 --against contiguous --json",
        },
        "compete": {
            "greedy.json": "compete --iterations 256 --layers 8 --charge 1 --json --solver greedy",
            "incremental.json": "compete --iterations 256 --layers 4 --charge 1 --json",
            "entry.json": "compete --iterations 256 --layers 4 --charge 1 --json "
            "--entry {inputs}/entry.py:rebalance",
        },
        "fabric": {
            "show.txt": "fabric show cloudmatrix384 --ranks 32 --out {here}/fabric.html",
            "h800.txt": "fabric show h800 --ranks 16",
        },
        "timeline": {
            "timeline.txt": "timeline --out {here}/step.json",
            "two.txt": "timeline --plan two-stream --micro-batches 2 --out {here}/two-stream.json",
            "apart.txt": "timeline --disaggregated --layers 2 --out {here}/disaggregated.json",
        },
        "trace": {
            "info.json": "trace info dsv2lite-intent --against deepseek-v3-decode --step-tokens "
            "256 --json --picture {here}/picture.html",
            "table.txt": "trace info dsv2lite-intent --step-tokens 256 --by-layer",
            "fit.txt": "trace fit dsv2lite-intent {here}/law.toml",
            "generate.txt": "trace generate {here}/more.parquet --law {here}/law.toml --steps 64",
            "more.json": "trace info {here}/more.parquet --json",
            "cut.txt": "trace cut {here}/more.parquet {here}/cut.parquet --steps 8:24",
            "cat.txt": "trace cat {here}/cut.parquet {here}/more.parquet {here}/cat.parquet",
            "export.txt": "trace export olmoe-domains {here}/counts.npy --format competition",
            "import.txt": "trace import {here}/counts.npy {here}/again.parquet --top-k 8",
            "again.json": "trace info {here}/again.parquet --json",
            "requests.txt": "trace export azure-2023-conv {here}/requests.csv --format azure",
            "requests.json": "trace info azure-2023-conv --json",
            "formats.txt": "trace formats",
        },
        "small": {
            "list.txt": "list",
            "check.txt": "check greedy",
            "calibrate.txt": "calibrate h800-kernels --device h800 --keep attention_memory",
        },
        "evaluate": {"evaluate.json": "{inputs}/evaluate.py"},
        "evolve": {"evolve.json": "{inputs}/evolve.py {inputs}/raises.py"},
    }
    return {
        case: [(file, line.split()) for file, line in steps.items()]
        for case, steps in lines.items()
    }


def every() -> dict[str, list[Step]]:
    """Return every case by its name, the longest first."""
    stranger = "--solver {inputs}/stranger.py --solver {inputs}/raises.py "
    stranger += "--solver {inputs}/wrong.py --solver {inputs}/leaves.py --solver greedy"
    submitted: list[Step] = [
        ("submit.txt", ["submit", "{here}/records", "--out", "{here}/submission.zip"]),
        (
            "verify.json",
            ["leaderboard", "verify", "{here}/submission.zip", "--sample", "0", "--json"],
        ),
        ("report.txt", ["report", "{here}/records", "--out", "{here}/site"]),
    ]
    cases = {
        "suite-serving-whole": suite("serving", ""),
        "suite-faults-whole": suite("faults", ""),
        "suite-quick-slow": suite("quick", solvers(SLOW_SOLVERS)),
        "suite-serving": suite("{inputs}/serving.toml", ""),
        "suite-faults": suite("{inputs}/faults.toml", ""),
        "suite-competition": suite("competition", solvers("greedy")),
        "suite-quick": suite("quick", solvers(QUICK_SOLVERS)),
        "suite-shift": suite("shift", solvers("eplb incremental")),
        "suite-default": suite("default", solvers("contiguous greedy incremental", None)),
        "suite-migration": suite("migration", solvers("greedy incremental")),
        "suite-dispatch": suite("dispatch", solvers("contiguous greedy")),
        "suite-seconds": suite("seconds", solvers("eplb greedy incremental")),
        "suite-forecast": suite("forecast", ""),
        "suite-fit": suite("fit", solvers("contiguous eplb greedy random")),
        "suite-quick-two-jobs": suite("quick", solvers("greedy eplb") + " --jobs 2", *submitted),
        "suite-quick-files": suite("quick", stranger),
        **others(),
        "solve": solved(),
        "refused": refused(),
        "help": [
            (f"{name.replace(' ', '-') or 'podlab'}.txt", [*name.split(), "--help"])
            for name in ["", *HELP.split(",")]
        ],
    }
    return cases | {f"simulate-{name}": simulated(name) for name in SCENARIOS.split()}
