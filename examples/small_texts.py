"""Text of four kinds, made by small grammars: enough for a model to tell them apart."""

from collections.abc import Callable

import numpy as np

Text = Callable[[np.random.Generator], str]


def sums(generator: np.random.Generator) -> str:
    """Return an addition and its result: 17+5=22;."""
    one, other = generator.integers(0, 100, 2)
    return f"{one}+{other}={one + other};"


def genome(generator: np.random.Generator) -> str:
    """Return bases in which one motif comes again and again."""
    bases = "".join(generator.choice(list("ACGT"), generator.integers(3, 9)))
    return f"{bases}TATAAA"


def words(generator: np.random.Generator) -> str:
    """Return a word of syllables, each a consonant and a vowel, and a space."""
    count = generator.integers(1, 5)
    consonants = generator.choice(list("bdfgklmnprst"), count)
    vowels = generator.choice(list("aeiou"), count)
    return "".join(c + v for c, v in zip(consonants, vowels, strict=True)) + " "


def brackets(generator: np.random.Generator) -> str:
    """Return brackets that close in the order in which they were opened."""
    opened: list[str] = []
    text = ""
    for _ in range(generator.integers(4, 16)):
        if opened and generator.random() < 0.45:
            text += opened.pop()
        else:
            pair = ("()", "[]", "{}", "<>")[generator.integers(4)]
            text += pair[0]
            opened.append(pair[1])
    return text + "".join(reversed(opened))


DOMAINS: dict[str, Text] = {"brackets": brackets, "genome": genome, "sums": sums, "words": words}
ALPHABET = "".join(sorted(set("0123456789+=;ACGTbdfgklmnprstaeiou ()[]{}<>")))


def batch(
    domains: list[str], sequences: int, length: int, generator: np.random.Generator
) -> np.ndarray:
    """Return [sequences, length] numbers of letters; the sequences take turns over ``domains``."""
    rows = []
    for number in range(sequences):
        make = DOMAINS[domains[number % len(domains)]]
        text = ""
        while len(text) < length:
            text += make(generator)
        rows.append([ALPHABET.index(letter) for letter in text[:length]])
    return np.array(rows)
