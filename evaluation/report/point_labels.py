"""Names beside points, where there is room for them."""

from collections.abc import Sequence

#: Size of a small plot that names are laid out for, and of a letter, in pixels.
WIDTH, HEIGHT = 360.0, 260.0
LETTER, LINE = 6.8, 15.0

#: Where a name may stand: Plotly's word, and its left lower corner from the point, in its own size.
POSITIONS = (
    ("middle right", 0.0, -0.5, 8, 0),
    ("middle left", -1.0, -0.5, -8, 0),
    ("top center", -0.5, 0.0, 0, 6),
    ("bottom center", -0.5, -1.0, 0, -6),
    ("top right", 0.0, 0.0, 4, 4),
    ("bottom right", 0.0, -1.0, 4, -4),
    ("top left", -1.0, 0.0, -4, 4),
    ("bottom left", -1.0, -1.0, -4, -4),
)

Box = tuple[float, float, float, float]


def beside(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], width: float = WIDTH
) -> tuple[list[str], list[str]]:
    """Return names and positions, a name being empty where it would lie on another or a point.

    Parameters
    ----------
    x, y
        Points, in any unit; the plot is taken to span them.
    names
        One a point; who comes first has the first choice.
    width
        Of the plot, pixels.
    """
    across, up = _pixels(x, width), _pixels(y, HEIGHT)
    taken: list[Box] = [(a - 5, b - 5, a + 5, b + 5) for a, b in zip(across, up, strict=True)]
    texts: list[str] = []
    positions: list[str] = []
    for a, b, name in zip(across, up, names, strict=True):
        long = LETTER * len(name)
        text, position = "", POSITIONS[0][0]
        for word, left, low, right, rise in POSITIONS:
            corner = (a + left * long + right, b + low * LINE + rise)
            box = (*corner, corner[0] + long, corner[1] + LINE)
            inside = box[0] > -30 and box[2] < width + 30
            if inside and not any(_meet(box, other) for other in taken):
                text, position = name, word
                taken.append(box)
                break
        texts.append(text)
        positions.append(position)
    return texts, positions


def _pixels(values: Sequence[float], size: float) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return [size * (value - low) / ((high - low) or 1.0) for value in values]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
