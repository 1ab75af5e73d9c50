"""Fits: residuals, their errors, losses, workers, records."""

import numpy as np
import pytest

from swarmgrad import Optimizer, least_squares, minimize

RNG = np.random.default_rng(3)
T = np.linspace(0, 4, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * RNG.standard_normal(25)


def residuals(b):
    return b[0] * np.exp(-b[1] * T) + b[2] - Y


def test_a_fit_agrees_with_the_linear_formula_at_its_end():
    fit = least_squares(residuals, [1.0, 1.0, 0.0])
    jacobian = np.stack([np.exp(-fit.x[1] * T), -fit.x[0] * T * np.exp(-fit.x[1] * T), np.ones(25)], axis=1)
    assert np.abs(jacobian.T @ fit.fun).max() < 1e-7
    covariance = np.linalg.inv(jacobian.T @ jacobian) * (fit.fun @ fit.fun) / 22
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-5)
    np.testing.assert_allclose(fit.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-5)
    np.testing.assert_allclose(np.diag(fit.correlation), 1.0)
    assert fit.cost == pytest.approx(0.5 * fit.fun @ fit.fun) and fit.success and fit.nfev < 60


def test_the_same_bits_with_workers_vectorised_and_told():
    bounds = [(0, 10), (0, 10), (-1, 1)]
    plain = minimize(residuals, bounds, residuals=True, maxfun=300, rng=1)
    mapped = minimize(residuals, bounds, residuals=True, maxfun=300, rng=1, workers=map)
    rows = minimize(lambda X: np.array([residuals(b) for b in X]), bounds, residuals=True, maxfun=300, rng=1, vectorized=True)
    opt = Optimizer(bounds, budget=300, residuals=True, rng=1)
    while not opt.done:
        X = opt.ask()
        opt.tell([residuals(b) for b in X])
    for other in (mapped, rows, opt.result):
        assert other.x.tolist() == plain.x.tolist() and other.nfev == plain.nfev
    assert plain.residuals.shape == (25,)


def test_a_loss_is_not_spoilt_by_an_outlier():
    spoilt = Y.copy()
    spoilt[5] += 5.0
    fit = lambda **more: least_squares(lambda b: residuals(b) + Y - spoilt, [1.0, 1.0, 0.0], **more)  # noqa: E731
    error = lambda fit: abs(fit.x[1] - 1.3)  # noqa: E731
    plain = error(fit())
    for loss in ("soft_l1", "huber", "cauchy", "arctan"):
        assert error(fit(loss=loss, f_scale=0.03)) < 0.1 * plain, loss
    with pytest.raises(ValueError, match="f_scale"):
        fit(f_scale=2.0)


def test_bounds_hold_and_what_lies_on_one_has_no_error():
    fit = least_squares(residuals, [1.0, 1.0, 0.0], bounds=([0, 0, -1], [10, 1.0, 1]))
    assert fit.x[1] == 1.0 and fit.standard_errors[1] == 0.0 and (fit.standard_errors[[0, 2]] > 0).all()


def test_a_record_goes_on_to_the_same_bits(tmp_path):
    bounds = [(0, 10), (0, 10), (-1, 1)]
    whole = minimize(residuals, bounds, residuals=True, maxfun=200, rng=1)
    path = tmp_path / "fit.jsonl"
    calls = []

    def killed(b):
        calls.append(b)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return residuals(b)

    with pytest.raises(KeyboardInterrupt):
        minimize(killed, bounds, residuals=True, maxfun=200, rng=1, record=path)
    again = minimize(residuals, resume=path)
    assert again.x.tolist() == whole.x.tolist() and again.covariance.tolist() == whole.covariance.tolist()


def test_wrong_answers_are_named():
    with pytest.raises((TypeError, ValueError), match="shape"):
        minimize(lambda b: 3.0, [(0, 1)], residuals=True, maxfun=5)
    with pytest.raises((TypeError, ValueError), match="is a return missing"):
        minimize(lambda b: None, [(0, 1)], residuals=True, maxfun=5)
    with pytest.raises(ValueError, match="residuals"):
        sizes = iter(range(1, 99))
        minimize(lambda b: np.ones(next(sizes)), [(0, 1)] * 2, residuals=True, maxfun=50)
    with pytest.raises(ValueError, match="several objectives"):
        minimize(lambda b: [b[0], 1 - b[0]], [(0, 1)], objectives=2, method="de", maxfun=50)
