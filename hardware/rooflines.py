"""Seconds of single kernels on a device, from their shapes alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.device import Device
from hardware.kernels import STRIPE

Array = NDArray[np.float64]

#: Bytes of one element.
FORMAT_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5}


def product_s(
    device: Device, rows: ArrayLike, inner: int, columns: int, form: str, core_share: float = 1.0
) -> Array:
    """Seconds of a dense product [rows, inner] x [inner, columns].

    Memory moves the weights and both activations (results in 16 bits); compute is
    2 · rows · inner · columns FLOPs; and no core streams its stripe of 128 columns faster than
    ``core_bytes_per_s``, which decides where the inner dimension is long and the columns are few.

    Parameters
    ----------
    device
        What runs it.
    rows
        [...] tokens.
    inner, columns
        Dimensions of the weights.
    form
        Number format of weights and activations.
    core_share
        Fraction of the matrix cores that run it.
    """
    m = np.asarray(rows, dtype=np.float64)
    kernels, size = device.kernels, FORMAT_BYTES[form]
    # Weights and input in the format of the product, results in 16 bits.
    moved = size * (inner * columns + m * inner) + 2.0 * m * columns
    stripe = size * inner * STRIPE / kernels.core_bytes_per_s
    memory = moved / (device.hbm_bytes_per_s * kernels.memory)
    reached = device.flops_per_s(form) * kernels.compute * core_share
    return kernels.launch_s + kernels.joined(memory, 2.0 * m * inner * columns / reached, stripe)


def grouped_memory_s(
    device: Device, tokens: ArrayLike, weight_bytes: float, token_bytes: float
) -> Array:
    """Seconds of memory traffic of one expert with [...] ``tokens``.

    Its weights once, however many tokens touch it; below one token, the expected share of a
    replica, that part of them. And ``token_bytes`` of activations for each token.
    """
    count = np.asarray(tokens, dtype=np.float64)
    moved = weight_bytes * np.minimum(count, 1.0) + token_bytes * count
    return moved / (device.hbm_bytes_per_s * device.kernels.memory)


def grouped_compute_s(
    device: Device, tokens: ArrayLike, weights: float, form: str, core_share: float = 1.0
) -> Array:
    """Seconds of products of [...] ``tokens`` with ``weights`` weights, tiles padded.

    Below one token, the expected share of a replica, that part of one tile.
    """
    count, tile = np.asarray(tokens, dtype=np.float64), device.kernels.tile_tokens
    # Whole tiles; below one token, the expected part of a tile.
    padded = np.ceil(count / tile) * tile * np.minimum(count, 1.0)
    reached = device.flops_per_s(form) * device.kernels.grouped_compute * core_share
    return padded * (2.0 * weights / reached)


def cached_bytes(device: Device, form: str, latent: bool) -> float:
    """Bytes that reading one cached element takes as long as, in decode.

    An 8-bit cache is converted to 16 bits on the way, so that it streams less than twice as fast.
    """
    size = FORMAT_BYTES[form]
    kernels = device.kernels
    gain = kernels.eight_bit_latent if latent else kernels.eight_bit_cache
    return size * 2.0 / gain if size <= 1 else size


def score_flops(
    device: Device, heads: int, widths: float, latent: bool, queries: float = 1.0
) -> float:
    """FLOPs of one token of decode with one cached token: products in whole tiles, and softmax.

    Parameters
    ----------
    device
        What runs it.
    heads
        Query heads.
    widths
        Widths of a key and of a value, added up.
    latent
        Whether all heads share one cached vector, and are one product.
    queries
        Tokens of a sequence in one step, which share that product.
    """
    kernels = device.kernels
    rows = heads * queries
    if latent:
        # Heads and draft tokens of a sequence are the rows of one product, the last tile padded.
        rows = np.ceil(rows / kernels.tile_heads) * kernels.tile_heads
    return float(rows / queries * (2.0 * widths + kernels.softmax_flops))


def decode_attention_s(
    device: Device,
    read_bytes: ArrayLike,
    query_bytes: ArrayLike,
    flops: ArrayLike,
    core_share: float = 1.0,
) -> Array:
    """Seconds of one attention kernel that reads the cache once and computes as it streams.

    The longer of reading and computing (16-bit products) decides. ``query_bytes``, queries and
    outputs, move before and after.
    """
    kernels = device.kernels
    bandwidth = device.hbm_bytes_per_s * kernels.attention_memory
    reached = device.flops_per_s("bf16") * kernels.attention_compute * core_share
    streamed = np.maximum(np.asarray(read_bytes) / bandwidth, np.asarray(flops) / reached)
    seconds: Array = kernels.attention_launch_s + streamed + np.asarray(query_bytes) / bandwidth
    return seconds


def prefill_attention_s(device: Device, flops: ArrayLike, core_share: float = 1.0) -> Array:
    """Seconds of attention whose tokens share their cache: compute alone, 16-bit products."""
    kernels = device.kernels
    reached = device.flops_per_s("bf16") * kernels.prefill_compute * core_share
    return kernels.attention_launch_s + np.asarray(flops, dtype=np.float64) / reached
