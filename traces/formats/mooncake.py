"""Mooncake: JSON lines, plain or gzip, with the prefix blocks of every prompt.

A line is ``{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}``,
these keys and no others: milliseconds from the start, tokens in and out, and one id for every block
of 512 prompt tokens, the last of which may be shorter. Equal ids are equal prompts up to there.
Empty lines are passed over. podlab writes whole milliseconds; sessions and domains have no place.
Layout: kvcache-ai/Mooncake, FAST25-release/README.md.
"""

import json
import math
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from traces.formats.request_lines import created, first_line, lines_of
from traces.formats.request_table import in_order
from traces.requests import RequestTrace

KEYS = ("timestamp", "input_length", "output_length", "hash_ids")
BLOCK_TOKENS = 512


def recognises(path: Path) -> bool:
    """Whether the first line is an object with the four keys."""
    try:
        return set(KEYS) <= set(_object(first_line(path)))
    except ValueError:
        return False


def read(path: Path) -> RequestTrace:
    """Return the requests with their prefixes."""
    times, prompts, outputs = array("d"), array("q"), array("q")
    hashes, blocks, lines = array("q"), array("q"), array("q")
    for number, line in enumerate(lines_of(path), start=1):
        if not line.strip():
            continue
        try:
            request = _object(line)
            times.append(_milliseconds(request["timestamp"]))
            prompts.append(_tokens(request, "input_length"))
            outputs.append(_tokens(request, "output_length"))
            blocks.append(_extend(hashes, request))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        lines.append(number)
    if not lines:
        raise ValueError("the file is empty; a line is a request")
    in_order(np.frombuffer(times), np.frombuffer(lines, dtype=np.int64), "timestamp")
    return RequestTrace(
        np.frombuffer(times) / 1000,
        np.frombuffer(prompts, dtype=np.int64),
        np.frombuffer(outputs, dtype=np.int64),
        prefix_hashes=np.frombuffer(hashes, dtype=np.int64),
        prefix_blocks=np.frombuffer(blocks, dtype=np.int64),
        block_tokens=BLOCK_TOKENS,
    )


def write(trace: RequestTrace, path: Path) -> None:
    """Write one line a request."""
    if trace.block_tokens != BLOCK_TOKENS or trace.prefix_blocks is None:
        raise ValueError(
            f"the trace has prefix blocks of {trace.block_tokens} tokens; this layout is of blocks "
            f"of {BLOCK_TOKENS}"
        )
    assert trace.prefix_hashes is not None
    ends = np.cumsum(trace.prefix_blocks).tolist()
    with created(path) as file:
        for time, prompt, output, count, end in zip(
            np.rint(trace.arrival_s * 1000).astype(np.int64).tolist(),
            trace.prompt_tokens.tolist(),
            trace.output_tokens.tolist(),
            trace.prefix_blocks.tolist(),
            ends,
            strict=True,
        ):
            ids = trace.prefix_hashes[end - count : end].tolist()
            request = dict(zip(KEYS, (time, prompt, output, ids), strict=True))
            file.write(json.dumps(request) + "\n")


def _object(line: str) -> dict[str, Any]:
    """Return the object in a line, its four keys and no others."""
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({str(error)[:80]}); the file may be cut short") from None
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__}, no object; a line is one request")
    if set(found) != set(KEYS):
        missing, unknown = sorted(set(KEYS) - set(found)), sorted(set(found) - set(KEYS))
        raise ValueError(f"keys {missing} are missing and {unknown} unknown; give {list(KEYS)}")
    return found


def _milliseconds(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < 2**53 or math.isnan(value):
        raise ValueError(f"timestamp is {str(value)[:40]}; give milliseconds from the start")
    return float(value)


def _tokens(request: dict[str, Any], key: str) -> int:
    value = request[key]
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError(f"{key} is {str(value)[:40]}, outside 0 <= {key} < 2**31; give tokens")
    return value


def _extend(hashes: "array[int]", request: dict[str, Any]) -> int:
    """Add a request's ids, and return how many they are."""
    ids = request["hash_ids"]
    if not isinstance(ids, list) or set(map(type, ids)) - {int}:
        raise ValueError("hash_ids is no list of whole numbers; give one id a block")
    if ids and not (min(ids) >= 0 and max(ids) < 2**62):
        raise ValueError("hash_ids holds an id outside 0 <= id < 2**62; number the blocks from 0")
    most = -(-request["input_length"] // BLOCK_TOKENS)
    if len(ids) > most:
        raise ValueError(
            f"hash_ids has {len(ids)} blocks > {most}, which hold {request['input_length']} tokens "
            f"at {BLOCK_TOKENS} a block; this layout has no other size"
        )
    hashes.extend(ids)
    return len(ids)
