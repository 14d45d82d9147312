"""The kernels that are timed: operands on the device, and the call that computes them."""

import math
from collections.abc import Callable
from typing import Any

from hardware.measure.point import Point
from hardware.measure.torch_device import TorchDevice

#: A kernel and its operands.
Call = tuple[Callable[..., object], tuple[Any, ...]]


def prepare(device: TorchDevice, point: Point, copies: int) -> Callable[[int], object]:
    """Return a call of the operator that takes ``copies`` sets of operands in turn."""
    kernel, operands = OPERATORS[point.operator](device, point)
    sets = [operands]
    sets += [tuple(tensor.clone() for tensor in operands) for _ in range(copies - 1)]
    return lambda call: kernel(*sets[call % copies])


def random_tensor(device: TorchDevice, number_format: str, *shape: int) -> Any:
    """Return a tensor of random values, the same each time.

    Random, since zeros draw less power than data and run faster. From a generator of its own, so
    that torch's random state stays as it is.
    """
    torch = device.torch
    where = {"device": device.device, "generator": torch.Generator(device.device).manual_seed(0)}
    if number_format == "int8":
        return torch.randint(-127, 128, shape, dtype=torch.int8, **where)
    if number_format == "fp8":  # the patterns 0 to 126 are the numbers 0 to 448, without NaN
        bits = torch.randint(0, 127, shape, dtype=torch.uint8, **where)
        return bits.view(torch.float8_e4m3fn)
    dtype = torch.bfloat16 if number_format == "bf16" else torch.float32
    return torch.randn(shape, dtype=dtype, **where)


def gemm(device: TorchDevice, point: Point) -> Call:
    """Dense product [m, k] x [k, n], the weights stored by column."""
    torch = device.torch
    left = random_tensor(device, point.format, point.m, point.k)
    right = random_tensor(device, point.format, point.n, point.k).t()
    if point.format == "int8":
        return torch._int_mm, (left, right)  # noqa: SLF001 - torch has no public name for it
    if point.format == "fp8":
        scale = torch.ones((), device=device.device)
        product = torch._scaled_mm  # noqa: SLF001 - nor for this
        return lambda a, b: product(a, b, scale, scale, out_dtype=torch.bfloat16), (left, right)
    return torch.mm, (left, right)


def grouped_gemm(device: TorchDevice, point: Point) -> Call:
    """Products [groups, m, k] x [groups, k, n] of the experts of a rank."""
    left = random_tensor(device, point.format, point.groups, point.m, point.k)
    right = random_tensor(device, point.format, point.groups, point.n, point.k).transpose(1, 2)
    return device.torch.bmm, (left, right)


def attention_decode(device: TorchDevice, point: Point) -> Call:
    """Absorbed latent attention, unfused: queries [batch, heads, width] on a shared cache."""
    torch = device.torch
    query = random_tensor(device, point.format, point.batch, point.heads, point.width)
    cache = random_tensor(device, point.format, point.batch, point.kv_tokens, point.width)

    def attend(query: Any, cache: Any) -> Any:
        share = torch.softmax(torch.bmm(query, cache.transpose(1, 2)), dim=-1)
        return torch.bmm(share, cache[:, :, : point.v_width])

    # The scale belongs to the query, which a layer projects with it
    return attend, (query / math.sqrt(point.width), cache)


def attention_prefill(device: TorchDevice, point: Point) -> Call:
    """Causal attention of one sequence."""
    attend = device.torch.nn.functional.scaled_dot_product_attention
    shape = (1, point.heads, point.kv_tokens, point.width)
    operands = tuple(random_tensor(device, point.format, *shape) for _ in range(3))
    return lambda q, k, v: attend(q, k, v, is_causal=True), operands


def memory_copy(device: TorchDevice, point: Point) -> Call:
    """Copy n / 2 bytes: n / 2 are read and n / 2 written.

    What a CPU reads of the lines that it is about to overwrite is not counted.
    """
    source = device.torch.ones(point.n // 2, dtype=device.torch.uint8, device=device.device)
    return lambda target, source: target.copy_(source), (source.clone(), source)


OPERATORS: dict[str, Callable[[TorchDevice, Point], Call]] = {
    "gemm": gemm,
    "grouped_gemm": grouped_gemm,
    "attention_decode": attention_decode,
    "attention_prefill": attention_prefill,
    "memory": memory_copy,
}
