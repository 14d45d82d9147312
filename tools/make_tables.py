"""Bring published kernel measurements into podlab's table of kernels.

    python tools/make_tables.py FOLDER hardware/tables

FOLDER holds the CSV files of InferSim (H800, H20) and aiconfigurator (H100, B200) under the names
``infersim_*`` and ``aic_*``. Figures are carried over; nothing is fitted or smoothed here. What is
left out is named with its reason in ``evaluation/validation/split.toml``.
"""

import csv
import sys
from pathlib import Path
from typing import Any

COLUMNS = ["operator", "format", "m", "k", "n", "groups", "heads", "width", "v_width"]
COLUMNS += ["batch", "kv_tokens", "latency_us"]
#: The FP8 peaks that InferSim's `mfu` columns refer to.
FP8 = {"h800": 1979e12, "h20": 296e12}
#: InferSim's file of H20 that has no header.
HEADLESS = "infersim_mha_decode_h20_64-2-128"
ATTENTION = ["dtype", "kv_dtype", "batch_size", "kv_len", "latency_us", "mfu"]
#: Left out: the first timing of its file, 241 µs where its neighbours take 25 µs.
WARM_UP = ("infersim_mha_decode_h800_32-2-128", "1", "1024")
Row = dict[str, Any]


def rows_of(path: Path, names: list[str] | None = None) -> list[dict[str, str]]:
    """Read a CSV file with a header, or one without whose columns have these ``names``."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, names))


def gemm(source: Path, device: str) -> list[Row]:
    """Dense FP8 products."""
    return [
        {
            "operator": "gemm",
            "format": "fp8",
            **{key: row[key] for key in "mkn"},
            "latency_us": row["latency_us"],
        }
        for row in rows_of(source / f"infersim_gemm_{device}_data.csv")
    ]


def grouped(source: Path, device: str, phase: str) -> list[Row]:
    """Read grouped FP8 products; tokens of an expert follow from the utilisation stated.

    The routing of these runs was uniform within 30 %, so the nominal tokens per expert are not
    what was computed where a GPU holds few experts; the stated utilisation says what was.
    """
    found = []
    for row in rows_of(source / f"infersim_grouped_gemm_{phase}_{device}_data.csv"):
        groups, hidden = int(row["num_local_experts"]), int(row["hidden_size"])
        inner_width = int(row["intermediate_size"])
        products = (("up", hidden, 2 * inner_width), ("down", inner_width, hidden))
        for name, inner, columns in products:
            latency, used = float(row[f"{name}_proj_us"]), float(row[f"{name}_mfu"])
            tokens = used * FP8[device] * latency * 1e-6 / (2 * inner * columns * groups)
            shape = {"m": f"{tokens:.5g}", "k": inner, "n": columns, "groups": groups}
            found.append({"operator": "grouped_gemm", "format": "fp8", **shape})
            found[-1]["latency_us"] = f"{latency:g}"
    return found


def latent(source: Path, device: str) -> list[Row]:
    """Latent attention in decode, absorbed."""
    return [
        {"operator": "attention_decode", "format": "bf16", "heads": 128, "width": 576}
        | {"v_width": 512, "batch": row["batch_size"], "kv_tokens": row["kv_len"]}
        | {"latency_us": row["latency_us"]}
        for row in rows_of(source / f"infersim_mla_decode_{device}_128-512-64.csv")
    ]


def latent_prefill(source: Path) -> list[Row]:
    """Latent attention in prefill: causal, one sequence."""
    return [
        {"operator": "attention_prefill", "format": "bf16", "heads": 128, "width": 192}
        | {"v_width": 128, "batch": 1, "kv_tokens": row["seq_len"]}
        | {"latency_us": row["latency_us"]}
        for row in rows_of(source / "infersim_mla_prefill_h800_128-128-64.csv")
    ]


def grouped_queries(source: Path, device: str) -> list[Row]:
    """Grouped-query attention in decode; ``groups`` are key-value heads, the format the cache's."""
    found = []
    for path in sorted(source.glob(f"infersim_mha_decode_{device}_*.csv")):
        heads, groups, width = (int(part) for part in path.stem.rsplit("_", 1)[1].split("-"))
        shape = {"heads": heads, "groups": groups, "width": width, "v_width": width}
        found += [
            {"operator": "attention_decode", "format": row["kv_dtype"], **shape}
            | {"batch": row["batch_size"], "kv_tokens": row["kv_len"]}
            | {"latency_us": row["latency_us"]}
            for row in rows_of(path, ATTENTION if path.stem == HEADLESS else None)
            if (path.stem, row["batch_size"], row["kv_len"]) != WARM_UP
        ]
    return found


def grouped_queries_prefill(source: Path, device: str) -> list[Row]:
    """Grouped-query attention in prefill: causal, one sequence."""
    found = []
    for path in sorted(source.glob(f"infersim_mha_prefill_{device}_*.csv")):
        heads, groups, width = (int(part) for part in path.stem.rsplit("_", 1)[1].split("-"))
        found += [
            {"operator": "attention_prefill", "format": "bf16", "heads": heads, "groups": groups}
            | {"width": width, "v_width": width, "batch": 1, "kv_tokens": row["seq_len"]}
            | {"latency_us": row["latency_us"]}
            for row in rows_of(path)
        ]
    return found


def sparse(source: Path) -> list[Row]:
    """Sparse attention of DeepSeek-V3.2 on H800: the core over 2,048 tokens, and its indexer.

    ``batch`` are sequences, ``m`` the tokens of each that ask, ``n`` those that the core reads.
    """
    core = {"heads": 128, "width": 576, "v_width": 512}
    indexer = {"heads": 64, "width": 128}
    found = []
    for row in rows_of(source / "infersim_dsa_decode_h800_attn-128-576-2048.csv"):
        sizes = {"m": 1, "batch": row["batch_size"], "kv_tokens": row["kv_len"]}
        sizes |= {"format": row["kv_dtype"], "n": min(2048, int(row["kv_len"]))}
        found.append({"operator": "sparse_decode", **core, **sizes})
        found[-1]["latency_us"] = row["latency_us"]
    for row in rows_of(source / "infersim_dsa_decode_h800_logits-64-128.csv"):
        sizes = {"m": row["next_n"], "batch": row["batchsize"], "kv_tokens": row["s_kv"]}
        found.append({"operator": "indexer_decode", "format": "fp8", **indexer, **sizes})
        found[-1]["latency_us"] = row["latency_us"]
    for row in rows_of(source / "infersim_dsa_prefill_h800_attn-128-576-2048.csv"):
        sizes = {"m": row["s_q"], "batch": 1, "kv_tokens": row["s_kv"], "n": 2048}
        found.append({"operator": "sparse_prefill", "format": "bf16", **core, **sizes})
        found[-1]["latency_us"] = row["latency_us"]
    for row in rows_of(source / "infersim_dsa_prefill_h800_logits-64-128.csv"):
        sizes = {"m": row["s_q"], "batch": 1, "kv_tokens": row["s_kv"]}
        found.append({"operator": "indexer_prefill", "format": "fp8", **indexer, **sizes})
        found[-1]["latency_us"] = row["latency_us"]
    return found


def linear(source: Path) -> list[Row]:
    """Gated delta rule on H20, 32 value heads of 128 x 128: all its kernels together."""
    found = []
    shape = {"format": "bf16", "heads": 32, "width": 128, "v_width": 128}
    for row in rows_of(source / "infersim_gdn_decode_h20_4-16-128-32-128.csv"):
        took = int(row["conv"]) + int(row["gdn_update"])
        found.append({"operator": "linear_decode", **shape, "batch": row["batchsize"]})
        found[-1] |= {"m": 1, "latency_us": took}
    kernels = ("conv", "kkt", "tril", "wu", "chunk_gdn", "chunk_o")
    for row in rows_of(source / "infersim_gdn_prefill_h20_4-16-128-32-128.csv"):
        took = sum(int(row[kernel]) for kernel in kernels)
        found.append({"operator": "linear_prefill", **shape, "batch": 1, "m": row["seq_len"]})
        found[-1]["latency_us"] = took
    return found


def attention_modules(source: Path, device: str, kernel: str) -> list[Row]:
    """Whole latent-attention modules of one kernel, all projections included, FP8 cache."""
    found = []
    for row in rows_of(source / f"aic_{device}_sxm_sglang_mla_decode.csv"):
        if row["kernel_source"] == kernel:
            sizes = {"heads": row["num_heads"], "batch": row["batch_size"]}
            length = int(row["isl"]) + int(row["step"])
            found.append({"operator": "attention_module", "format": "fp8", **sizes})
            found[-1] |= {"kv_tokens": length, "latency_us": f"{float(row['latency']) * 1e3:g}"}
    return found


def expert_modules(source: Path, device: str) -> list[Row]:
    """Whole expert modules under uniform routing: m tokens a rank, ``groups`` experts."""
    found = []
    for row in rows_of(source / f"aic_{device}_sxm_sglang_moe_decode.csv"):
        if row["distribution"] == "uniform":
            ranks = int(row["moe_ep_size"])
            shape = {"m": int(row["num_tokens"]) // ranks, "k": 7168, "n": 2048}
            found.append({"operator": "expert_module", "format": "fp8", **shape})
            found[-1]["groups"] = 256 // ranks
            found[-1]["latency_us"] = f"{float(row['latency']) * 1e3:g}"
    return found


def exchanges(source: Path) -> list[Row]:
    """DeepEP low-latency dispatch (8 bits) and combine (BF16) on H100: ``m`` tokens a rank.

    ``batch`` are ranks, ``groups`` experts chosen by a token, ``k`` the hidden size.
    """
    found = []
    for name in ("0.5.6.post2", "0.5.12"):
        for row in rows_of(source / f"aic_h100_sxm_deepep_ll_{name}.csv"):
            shape = {"m": row["num_token"], "k": row["hidden_size"], "groups": row["num_topk"]}
            shape |= {"batch": 8 * int(row["node_num"]), "heads": row["num_experts"]}
            for operator in ("dispatch", "combine"):
                found.append({"operator": operator, "format": name, **shape})
                found[-1]["latency_us"] = row[f"{operator}_avg_t_us"]
    return found


def normal_exchanges(source: Path) -> list[Row]:
    """DeepEP normal dispatch (8 bits) and combine (BF16) on H100, with the wait for the counts.

    Columns as in :func:`exchanges`; ``width`` are the SMs that communicate.
    """
    found = []
    for name in ("0.5.6.post2", "0.5.12"):
        for row in rows_of(source / f"aic_h100_sxm_deepep_normal_{name}.csv"):
            shape = {"m": row["num_token"], "k": row["hidden_size"], "groups": row["num_topk"]}
            shape |= {"batch": 8 * int(row["node_num"]), "heads": row["num_experts"]}
            for operator in ("dispatch", "combine"):
                took = float(row[f"{operator}_transmit_us"]) + float(row[f"{operator}_notify_us"])
                found.append({"operator": operator, "format": name, **shape})
                found[-1] |= {"width": row[f"{operator}_sms"], "latency_us": f"{took:.6g}"}
    return found


def write(rows: list[Row], path: Path) -> None:
    """Write rows, 0 where a column does not apply."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval=0, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    for device in ("h800", "h20"):
        kernels = gemm(source, device)
        kernels += grouped(source, device, "decode") + grouped(source, device, "prefill")
        kernels += latent(source, device)
        kernels += latent_prefill(source) if device == "h800" else []
        write(kernels, out / f"{device}-kernels.csv")
        write(grouped_queries(source, device), out / f"{device}-gqa.csv")
    write(grouped_queries_prefill(source, "h20"), out / "h20-gqa-prefill.csv")
    write(sparse(source), out / "h800-sparse.csv")
    write(linear(source), out / "h20-linear.csv")
    for device, kernel in (("h100", "flashinfer"), ("b200", "trtllm_mla")):
        modules = attention_modules(source, device, kernel)
        write(modules + expert_modules(source, device), out / f"{device}-modules.csv")
    write(attention_modules(source, "h100", "fa3"), out / "h100-modules-fa3.csv")
    write(exchanges(source), out / "h100-deepep.csv")
    write(normal_exchanges(source), out / "h100-deepep-normal.csv")
