"""The sort of the kernels agrees with numpy's."""

import numpy as np
import pytest

from lb.rank_by_weight import rank_by_weight


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 257])
def test_it_is_a_stable_sort(dtype, size):
    """Ids come by falling weight, equal weights by id, as numpy's stable sort has them."""
    weight = np.random.default_rng(size).integers(0, 9, size).astype(dtype)
    assert rank_by_weight(weight).tolist() == np.argsort(-weight, kind="stable").tolist()
