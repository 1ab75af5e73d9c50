"""Shares of a whole, and numbers in order: spaces that cannot be left."""

import numpy as np
import pytest

from swarmgrad import Integer, Optimizer, Simplex, Sorted, Space, journal, minimize

SPACE = {"mix": Simplex(3), "n": Integer(1, 3), "t": Sorted(0, 24, 2)}
WANTED = np.array([0.7, 0.3, 0.0])


def blend(p):
    assert p["mix"].shape == (3,) and abs(p["mix"].sum() - 1) < 1e-12 and (p["mix"] >= 0).all()
    assert 0 <= p["t"][0] <= p["t"][1] <= 24
    return float(((p["mix"] - WANTED) ** 2).sum() + (p["t"][1] - p["t"][0] - 1) ** 2 + (p["n"] - 2) ** 2)


@pytest.mark.parametrize("method", ["auto", "cma_es", "de", "pso", "quasi_newton", "ga"])
def test_they_are_not_left_and_the_border_is_found(method):
    result = minimize(blend, SPACE, method=method, maxfun=3000, rng=1)
    assert result.fun < (1e-6 if method != "ga" else 1e-2), (method, result.fun)
    assert result.x["mix"].sum() == pytest.approx(1, abs=1e-12) and result.x["n"] == 2
    assert isinstance(result.x["t"], np.ndarray)


def test_workers_rows_records_and_first_points(tmp_path):
    path = tmp_path / "run.jsonl"
    run = dict(method="cma_es", maxfun=100, rng=2)
    alone = minimize(blend, SPACE, record=path, **run)
    assert minimize(blend, SPACE, workers=lambda f, items: [f(i) for i in items], **run).fun == alone.fun

    def rows(p):
        assert p["mix"].shape[1] == 3 and p["t"].shape[1] == 2
        return ((p["mix"] - WANTED) ** 2).sum(1) + (p["t"][:, 1] - p["t"][:, 0] - 1) ** 2 + (p["n"] - 2.0) ** 2

    assert minimize(rows, SPACE, vectorized=True, **run).fun == pytest.approx(alone.fun, rel=1e-12)
    more = minimize(blend, resume=path, maxfun=200)
    assert more.nfev == 200 and more.fun <= alone.fun
    record = journal.read(path)
    assert record.names == ["mix0", "mix1", "mix2", "n", "t0", "t1"]
    first = {"mix": [0.2, 0.3, 0.5], "n": 1, "t": [3, 3]}
    seen = []
    minimize(lambda p: seen.append(p) or blend(p), SPACE, x0=first, maxfun=5, rng=1)
    assert np.allclose(seen[0]["mix"], first["mix"], atol=1e-12) and np.allclose(seen[0]["t"], 3)
    for wrong, why in (([0.2, 0.3, 0.6], "sum 1"), ([0.5, 0.5], r"shape \(2,\), expected \(3,\)")):
        with pytest.raises(ValueError, match=why):
            minimize(blend, SPACE, x0={**first, "mix": wrong})
    with pytest.raises(ValueError, match="2 to 1000"):
        Space({"w": Simplex(1)})
    optimizer = Optimizer(Space(SPACE), method="de", budget=50, rng=1)
    points = optimizer.ask()
    assert points[0]["mix"].shape == (3,)


def test_constraints_see_the_numbers_by_their_names():
    result = minimize(lambda p: float(p["mix"][0]), SPACE, constraints="mix0 >= 0.25", maxfun=500, rng=1)
    assert result.x["mix"][0] == pytest.approx(0.25, abs=1e-5) and result.feasible
