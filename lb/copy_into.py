"""Copy one array into another inside a kernel."""

from typing import Any

from numpy.typing import NDArray

from lb.kernel import inlined


@inlined
def copy_into(target: NDArray[Any], source: NDArray[Any]) -> None:
    """Write ``source`` over ``target``, both [n]; the caller sees to it that they are equally long.

    ``target[:] = source`` says the same, but takes up to seconds longer to compile: numba prepares
    an error message about shapes, and with it the formatting of numbers and the joining of strings.
    """
    for place in range(target.size):
        target[place] = source[place]
