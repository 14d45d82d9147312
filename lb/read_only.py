"""Hand an array to a kernel in one form, whoever made it."""

from typing import Any

from numpy.typing import NDArray


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written to.

    For numba, arrays that can be written to and arrays that cannot are of two types, and a kernel
    that gets both is compiled twice.
    """
    view = array.view()
    view.flags.writeable = False
    return view
