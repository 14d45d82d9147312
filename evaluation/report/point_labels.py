"""Positions of the names of points, so that no name covers another name or point."""

from collections.abc import Sequence

#: Size of a small plot, and of a letter, in pixels.
WIDTH, HEIGHT = 360.0, 260.0
LETTER, LINE = 6.8, 15.0

#: Positions of a name: Plotly's word; the lower left corner relative to the point, in sizes of the
#: name; and a shift in pixels.
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


def place_labels(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], width: float = WIDTH
) -> tuple[list[str], list[str]]:
    """Return names and positions. A name is empty where it would cover another one or a point.

    Parameters
    ----------
    x, y
        Points, in any unit; the plot spans them.
    names
        A name for each point; the first ones are placed first.
    width
        Width of the plot in pixels.
    """
    across, up = _pixels(x, width), _pixels(y, HEIGHT)
    taken: list[Box] = [(a - 5, b - 5, a + 5, b + 5) for a, b in zip(across, up, strict=True)]
    texts: list[str] = []
    positions: list[str] = []
    for a, b, name in zip(across, up, names, strict=True):
        length = LETTER * len(name)
        text, position = "", POSITIONS[0][0]
        for word, left, low, shift_x, shift_y in POSITIONS:
            corner = (a + left * length + shift_x, b + low * LINE + shift_y)
            box = (*corner, corner[0] + length, corner[1] + LINE)
            inside = box[0] > -30 and box[2] < width + 30
            if inside and not any(_overlap(box, other) for other in taken):
                text, position = name, word
                taken.append(box)
                break
        texts.append(text)
        positions.append(position)
    return texts, positions


def _pixels(values: Sequence[float], size: float) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return [size * (value - low) / ((high - low) or 1.0) for value in values]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
