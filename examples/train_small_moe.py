"""Train a small MoE on four kinds of text, and record whom its routers choose.

    python examples/train_small_moe.py --out routing

The text is made by grammars in this folder, so that nothing is downloaded; it takes under a minute
on a CPU. One trace is of the training itself, a step each, and one of each kind of text afterwards.
Needs torch beside podlab's laboratory: pip install 'podlab[lab]' torch
"""

import argparse
import time
from pathlib import Path

import numpy as np
import small_texts
import torch
from small_moe import SmallMoe

from evaluation.cli.trace.info import info
from traces.record import Recorder

LAYERS, EXPERTS, TOP_K, LENGTH = 3, 12, 2, 64
#: Weight of the auxiliary loss: enough that no expert dies, too little to force evenness.
BALANCE = 0.01


def main() -> None:
    """Train, record, and print what the traces are like."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("small-moe-routing"), help="folder")
    parser.add_argument("--steps", type=int, default=300, help="of training")
    parser.add_argument("--record-steps", type=int, default=32, help="of each kind of text")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(asked.seed)
    model = SmallMoe(len(small_texts.ALPHABET), LENGTH, layers=LAYERS, experts=EXPERTS, top_k=TOP_K)
    start = time.perf_counter()
    files = [train(model, asked.steps, asked.seed, asked.out)]
    print(f"trained in {time.perf_counter() - start:.1f} s")
    for domain in small_texts.DOMAINS:
        files.append(record(model, domain, asked.record_steps, asked.seed + 1, asked.out))
    print(f"\npodlab trace info {' '.join(map(str, files))}\n")
    info([str(file) for file in files])


def train(model: SmallMoe, steps: int, seed: int, out: Path) -> Path:
    """Train on all kinds of text in turn; return the trace of it, counts of every step."""
    generator = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    file = out / "training.parquet"
    with recorder(file, "while training, a step each", counts=True) as recording:
        recording.attach(model)
        for step in range(steps):
            text = small_texts.batch(list(small_texts.DOMAINS), 16, LENGTH + 1, generator)
            loss, letters = model.loss(torch.from_numpy(text), BALANCE)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if step % 50 == 0 or step == steps - 1:
                print(f"step {step}: {letters.item():.3f} nats a letter")
    return file


def record(model: SmallMoe, domain: str, steps: int, seed: int, out: Path) -> Path:
    """Run one kind of text through the model; return the trace, token by token."""
    generator = np.random.default_rng(seed)
    file = out / f"{domain}.parquet"
    with recorder(file, f"text of kind {domain}") as recording, torch.no_grad():
        recording.attach(model)
        for _ in range(steps):
            model(torch.from_numpy(small_texts.batch([domain], 8, LENGTH, generator)))
    return file


def recorder(file: Path, notes: str, counts: bool = False) -> Recorder:
    """Return a recorder for this model."""
    provenance = {"origin": "examples/train_small_moe.py", "notes": notes}
    return Recorder(file, "small-moe", EXPERTS, TOP_K, LAYERS, "prefill", provenance, counts=counts)


if __name__ == "__main__":
    main()
