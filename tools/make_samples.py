"""Make the bundled traces from the published recordings: ``make_samples.py SOURCE [TARGET]``.

SOURCE holds ``esft_dsv2lite/{intent,summary,translation}.npz`` (``topk_ids`` [tokens, layers,
top_k], ``sample_lengths``), ``olmoe/expert_counts.npz`` (one [layers, experts] array a domain), and
``requests/AzureLLMInferenceTrace_conv.csv`` and ``requests/mooncake_conversation_trace.jsonl.gz``.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import traces
from traces import RequestTrace, RoutingTrace, TokenTrace
from traces.exchange import read_requests

DOMAINS = ("arxiv", "book", "c4", "github", "wikipedia", "tulu")


def main() -> None:
    """Write one store file for each recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, nargs="?", default=Path("traces/samples"))
    arguments = parser.parse_args()
    for task in ("intent", "summary", "translation"):
        trace = make_task(arguments.source, task)
        traces.save(trace, arguments.target / f"dsv2lite-{task}.parquet")
    traces.save(make_olmoe(arguments.source), arguments.target / "olmoe-domains.parquet")
    requests = arguments.target / "requests"
    requests.mkdir(exist_ok=True)
    traces.save(make_azure(arguments.source / "requests"), requests / "azure-2023-conv.parquet")
    traces.save(make_mooncake(arguments.source / "requests"), requests / "mooncake-conv.parquet")


def make_task(source: Path, task: str) -> TokenTrace:
    """Read one task domain of DeepSeek-V2-Lite."""
    with np.load(source / "esft_dsv2lite" / f"{task}.npz", allow_pickle=False) as recording:
        return TokenTrace(
            recording["topk_ids"],
            num_experts=64,
            model="deepseek-v2-lite",
            phase="prefill",
            sample_lengths=recording["sample_lengths"],
            provenance={
                "origin": f"deepseek-ai/ESFT results/expert_scores/{task}, expert ids only",
                "commit": "579a7711e4b332b4c57b47e378a0cf240d85caa6",
                "licence": "MIT (LICENSE-CODE), copyright 2023 DeepSeek",
                "task": task,
                "note": "the scripts of ESFT record with deepseek-ai/ESFT-vanilla-lite, which has "
                "the architecture of DeepSeek-V2-Lite",
            },
        )


def make_olmoe(source: Path) -> RoutingTrace:
    """Read the domain totals of OLMoE, one step a domain."""
    with np.load(source / "olmoe" / "expert_counts.npz", allow_pickle=False) as recording:
        counts = np.stack([recording[f"olmoe__{domain}"] for domain in DOMAINS])
    return RoutingTrace(
        counts,
        model="olmoe-1b-7b",
        top_k=8,
        phase="prefill",
        provenance={
            "origin": "allenai/OLMoE scripts/routing_output/olmoe/expert_counts",
            "commit": "357454f4f647385839c0ff6b99a688dc7cd9c13f",
            "licence": "Apache-2.0",
            "steps": "one a domain: " + ", ".join(DOMAINS),
            "layers": "0, 7 and 15 of the model",
        },
    )


def make_azure(source: Path) -> RequestTrace:
    """Read the conversations of Azure's LLM inference trace of 2023."""
    trace = read_requests(source / "AzureLLMInferenceTrace_conv.csv", "azure")
    origin = {
        "origin": "Azure/AzurePublicDataset data/AzureLLMInferenceTrace_conv.csv",
        "commit": "b469a113cedca53ddc3bdea71a143dc4b7d8700c",
        "licence": "CC-BY-4.0, Microsoft",
        "changes": "times count from the first request",
    }
    return replace(trace, provenance={**(trace.provenance or {}), **origin})


def make_mooncake(source: Path) -> RequestTrace:
    """Read the conversations of Mooncake's FAST25 release."""
    trace = read_requests(source / "mooncake_conversation_trace.jsonl.gz", "mooncake")
    origin = {
        "origin": "kvcache-ai/Mooncake FAST25-release/traces/conversation_trace.jsonl",
        "commit": "3b5a594133958449a1feaf1c9e0fc1b553e34a28",
        "licence": "Apache-2.0",
        "changes": "times in seconds",
    }
    return replace(trace, provenance={**(trace.provenance or {}), **origin})


if __name__ == "__main__":
    main()
