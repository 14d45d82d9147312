"""Damage to files: bytes flipped, cut and put in, and values of JSON and CSV exchanged."""

import json
import re

ODD_JSON = [None, True, -1, 1.5, 2**70, "x", "", [], {}, [[]], [1], {"a": 1}, 0, 65536, [[[0]]]]
ODD_TEXT = [
    b"",
    b"-1",
    b"nan",
    b"NaN",
    b"1e400",
    b"1.5",
    b"true",
    b"null",
    b"x",
    b"99999999999999999999",
]
ODD_TEXT += [b'"', b",", b"\n", b"[", b"]", b"{", b"}", b"\\", b"\x00", b"\xff", b"-", b"[[[["]


def damaged(content, rng):
    """Return changed bytes; one to three changes, of kinds that the generator draws."""
    for _ in range(int(rng.integers(1, 4))):
        kinds = [_flip, _cut, _insert, _swap]
        if _is_text(content):
            kinds += [_exchange_number] * 3
        if content[:1] in (b"[", b"{"):
            kinds += [_exchange_value] * 3
        content = kinds[rng.integers(len(kinds))](content, rng)
    return content


def _is_text(content):
    return bool(content) and all(byte < 128 for byte in content[:256]) and b"\0" not in content


def _at(content, rng):
    return int(rng.integers(len(content) + 1))


def _flip(content, rng):
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if changed:
            changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _cut(content, rng):
    start, stop = sorted((_at(content, rng), _at(content, rng)))
    return content[:start] if rng.random() < 0.5 else content[:start] + content[stop:]


def _insert(content, rng):
    at = _at(content, rng)
    return content[:at] + rng.bytes(int(rng.integers(1, 9))) + content[at:]


def _swap(content, rng):
    changed = bytearray(content)
    size = int(rng.integers(1, 9))
    at = _at(content, rng)
    changed[at : at + size] = bytes([(0, 255, 127, 128)[rng.integers(4)]]) * len(
        changed[at : at + size]
    )
    return bytes(changed)


def _exchange_number(content, rng):
    found = list(re.finditer(rb"-?\d+", content))
    if not found:
        return content
    place = found[rng.integers(len(found))]
    return content[: place.start()] + ODD_TEXT[rng.integers(len(ODD_TEXT))] + content[place.end() :]


def _exchange_value(content, rng):
    try:
        value = json.loads(content)
    except ValueError:
        return content
    node = value
    while True:
        places = list(range(len(node))) if isinstance(node, list) else list(node)
        if not places:
            return content
        place = places[rng.integers(len(places))]
        if isinstance(node[place], list | dict) and rng.random() < 0.7:
            node = node[place]
            continue
        if rng.random() < 0.3:
            del node[place]
        else:
            node[place] = ODD_JSON[rng.integers(len(ODD_JSON))]
        return json.dumps(value).encode()
