"""Matrices follow their law."""

import numpy as np
import pytest

from evaluation.kinds.fit.matrices import LAWS, matrix


@pytest.mark.parametrize("law", LAWS)
def test_layers_add_up_and_seeds_differ(law):
    """Every layer has the tokens, the same seed gives the same, another one another."""
    one = matrix(law, 1.0, 3, 16, 100.0, 0)
    np.testing.assert_allclose(one.sum(axis=1), 100.0)
    np.testing.assert_array_equal(one, matrix(law, 1.0, 3, 16, 100.0, 0))
    assert (one != matrix(law, 1.0, 3, 16, 100.0, 1)).any()
    assert (one[0] != one[1]).any()


def test_zipf_has_its_exponent():
    """The second hottest expert has 2 ** -skew of the hottest."""
    load = np.sort(matrix("zipf", 0.5, 2, 8, 1.0, 0), axis=1)[:, ::-1]
    np.testing.assert_allclose(load[:, 1] / load[:, 0], 2**-0.5)


def test_lognormal_has_its_deviation():
    """Measured on many experts."""
    load = matrix("lognormal", 0.7, 4, 4096, 1.0, 0)
    assert np.log(load).std(axis=1) == pytest.approx(0.7, rel=0.05)


def test_unknown_laws_are_named():
    """With those there are."""
    with pytest.raises(ValueError, match="law = 'zip' is not one of lognormal, uniform, zipf"):
        matrix("zip", 1.0, 1, 4, 1.0, 0)
