"""Several objectives: fronts, constraints, typed variables, workers."""

import numpy as np
import pytest

from swarmgrad import Integer, Real, Space, hypervolume, minimize


def two(x):
    return [x[0] ** 2 + x[1] ** 2, (x[0] - 2) ** 2 + x[1] ** 2]


def test_a_front_has_its_points_and_their_objectives():
    result = minimize(two, [(-4, 4)] * 2, objectives=["near", "far"], maxfun=2000, rng=1)
    x, f = result.front.x, result.front.f
    assert x.shape == f.shape == (len(x), 2) and 20 < len(x) <= 100 and result.objectives == ["near", "far"]
    np.testing.assert_array_equal(f, [two(point) for point in x])
    assert (np.diff(f[:, 0]) > 0).all() and (np.diff(f[:, 1]) < 0).all()
    # The front is sqrt(f1) + sqrt(f2) = 2.
    assert np.abs(np.sqrt(f).sum(axis=1) - 2).max() < 0.1
    assert result.hypervolume == hypervolume(f, result.reference_point) > 0
    assert result.fun == f[0, 0] and "front" in repr(result)


def test_constraints_and_typed_variables_apply_with_the_same_bits_for_workers():
    space = Space({"n": Integer(0, 10), "t": Real(0.0, 1.0)})

    def plan(point):
        return [point["n"] + point["t"], (10 - point["n"]) ** 2 / 10 + point["t"]]

    given = dict(objectives=2, constraints="n + t >= 2", maxfun=400, rng=2, method="nsga2(particles=20)")
    result = minimize(plan, space, **given)
    assert all(isinstance(p["n"], int) and p["n"] + p["t"] >= 2 - 1e-6 for p in result.front.x)
    assert result.front.f[:, 0].min() < 2.5
    again = minimize(plan, space, workers=lambda f, points: [f(p) for p in points], **given)
    np.testing.assert_array_equal(result.front.f, again.front.f)


def test_methods_of_one_value_are_refused_by_name():
    with pytest.raises(ValueError, match="nsga2.*sms_emoa"):
        minimize(two, [(-4, 4)] * 2, objectives=2, method="de", maxfun=50)
    with pytest.raises(ValueError):
        hypervolume([[1.0, 2.0, 3.0]], [4.0, 4.0])


def test_the_hypervolume_is_that_of_boxes():
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]) == 6.0
    assert hypervolume([[0, 0, 0], [1, 1, 1]], [2, 2, 2]) == 8.0
    assert hypervolume(np.zeros((0, 2)), [1, 1]) == 0.0
