"""What a token is computed under: phase, lengths of its request, domain of its text."""

import re
from dataclasses import dataclass

from traces.header import checked_integer

PHASES = ("prefill", "decode")
_NAME = re.compile(r"(?P<phase>prefill|decode)(_in(?P<prompt>\d+))?(_?out(?P<output>\d+))?")


@dataclass(frozen=True)
class Condition:
    """Phase, lengths and domain of the requests that a load comes from.

    Parameters
    ----------
    phase
        "prefill" or "decode".
    prompt_tokens, output_tokens
        Lengths of the requests; None where they are not known.
    domain
        Name of the domain of their text; None where it is a mixture.

    Raises
    ------
    ValueError
        If the phase is another, or a length is below 1.

    Examples
    --------
    >>> Condition.parse("decode_in500out1500").output_tokens
    1500
    """

    phase: str
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise ValueError(f"phase = {self.phase!r} is not one of {', '.join(PHASES)}")
        for name in ("prompt_tokens", "output_tokens"):
            tokens = getattr(self, name)
            if tokens is not None and checked_integer(tokens, name) < 1:
                raise ValueError(f"{name} = {tokens} < 1; give at least 1, or None if unknown")

    @property
    def name(self) -> str:
        """The condition in one word, such as ``decode_in1000out1000``; the domain follows a colon.

        These are the names of the recordings of DeepSeek-R1 in sgl-project/sglang issue 6017.
        """
        text = self.phase
        if self.prompt_tokens is not None:
            text += f"_in{self.prompt_tokens}"
        if self.output_tokens is not None:
            text += f"{'' if self.prompt_tokens is not None else '_'}out{self.output_tokens}"
        return text if self.domain is None else f"{text}:{self.domain}"

    @staticmethod
    def parse(name: str) -> "Condition":
        """Return the condition of that name.

        Raises
        ------
        ValueError
            If the name has another form.
        """
        text, colon, domain = name.partition(":")
        match = _NAME.fullmatch(text)
        if match is None or (colon and not domain):
            raise ValueError(
                f"condition {name!r} has another form than prefill_in1024, decode_in1000out500 or "
                "decode_in1000out500:chat"
            )
        lengths = (match["prompt"], match["output"])
        prompt, output = (None if text is None else int(text) for text in lengths)
        return Condition(match["phase"], prompt, output, domain or None)


def condition_of(condition: "Condition | str") -> Condition:
    """Return a condition that is given as such or by its name."""
    return Condition.parse(condition) if isinstance(condition, str) else condition
