"""Places where people already work: SciPy, Optuna, scikit-learn, matplotlib, pandas. What cannot be imported is skipped."""

import pickle

import numpy as np
import pytest

import swarmgrad
from swarmgrad import Choice, Integer, Log, Optimizer, Space, journal, minimize, problems

BOX = [(-5, 5)] * 2


def sphere(x):
    return float(((x - 1) ** 2).sum())


def test_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    bounds = optimize.Bounds([-5, -5], [5, 5])
    options = {"method": "cma_es", "maxfun": 800, "rng": 1}
    found = optimize.minimize(sphere, [3.0, 3.0], method=swarmgrad.scipy_method, bounds=bounds, options=options)
    assert found.fun < 1e-8 and found.success
    same = minimize(sphere, bounds, method="cma_es", x0=[3.0, 3.0], maxfun=800, rng=1)
    assert found.fun == same.fun
    gradient = optimize.minimize(
        lambda x, a: a * sphere(x), [3.0, 3.0], (2.0,), jac=lambda x, a: 2 * a * (x - 1), method=swarmgrad.scipy_method,
        bounds=bounds, options={"method": "quasi_newton", "maxfun": 200, "rng": 1},
    )
    assert gradient.fun < 1e-12 and gradient.njev > 0
    with pytest.raises(TypeError, match="'maxfuns'"):
        optimize.minimize(sphere, [3.0, 3.0], method=swarmgrad.scipy_method, options={"maxfuns": 3})
    linear = optimize.LinearConstraint([[1, 1]], 0, 1)
    nonlinear = optimize.NonlinearConstraint(lambda x: [x[0] * x[1], x[0] - x[1]], [-np.inf, -0.1], [0.1, 0.1])
    found = optimize.minimize(
        sphere, [3.0, 3.0], method=swarmgrad.scipy_method, bounds=bounds, constraints=[linear, nonlinear],
        options={"maxfun": 4000, "rng": 1},
    )
    theirs = optimize.minimize(sphere, [0.2, 0.2], method="SLSQP", bounds=bounds, constraints=[linear, nonlinear])
    assert found.feasible and found.fun <= theirs.fun + 1e-6


def objective(trial):
    x = trial.suggest_float("x", -5, 5)
    lr = trial.suggest_float("lr", 1e-4, 1, log=True)
    n = trial.suggest_int("n", 2, 10, step=2)
    act = trial.suggest_categorical("act", ["relu", "tanh", None])
    return x**2 + (np.log10(lr) + 2) ** 2 + abs(n - 4) + (act is not None)


@pytest.fixture
def optuna():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def test_optuna(optuna):
    from swarmgrad.optuna import SwarmgradSampler

    def run(sampler):
        study = optuna.create_study(sampler=sampler)
        study.optimize(objective, n_trials=150)
        return study

    study = run(SwarmgradSampler("cma_es", n_trials=150, seed=1))
    assert study.best_value < 1.5 and study.best_value < run(optuna.samplers.RandomSampler(seed=1)).best_value
    assert study.best_params["n"] in (2, 4, 6) and sum("swarmgrad:point" in t.system_attrs for t in study.trials) > 140
    again = run(SwarmgradSampler("cma_es", n_trials=150, seed=1))
    assert [t.params for t in study.trials] == [t.params for t in again.trials]


def test_optuna_takes_a_study_up_again(optuna):
    from swarmgrad.optuna import SwarmgradSampler

    storage = optuna.storages.InMemoryStorage()
    for k in range(3):
        study = optuna.create_study(
            storage=storage, study_name="s", load_if_exists=True, sampler=SwarmgradSampler("de(particles=10)", n_trials=90, seed=1)
        )
        study.optimize(objective, n_trials=30)
    whole = optuna.create_study(sampler=SwarmgradSampler("de(particles=10)", n_trials=90, seed=1))
    whole.optimize(objective, n_trials=90)
    # The first trial is drawn at random by each sampler anew; those of the method go on.
    points = [t.system_attrs["swarmgrad:point"][1] for t in study.trials if "swarmgrad:point" in t.system_attrs]
    assert points == list(range(len(points))) and len(points) >= 85


def test_optuna_failed_pruned_and_parallel_trials(optuna):
    from swarmgrad.optuna import SwarmgradSampler

    def shaky(trial):
        value = objective(trial)
        if trial.number % 5 == 3:
            trial.report(value, 1)
            raise optuna.TrialPruned()
        if trial.number % 7 == 2:
            raise ValueError("broken")
        return value

    study = optuna.create_study(sampler=SwarmgradSampler("de(particles=10)", n_trials=100, seed=1), direction="minimize")
    study.optimize(shaky, n_trials=80, catch=(ValueError,))
    points = [t.system_attrs["swarmgrad:point"][1] for t in study.trials if "swarmgrad:point" in t.system_attrs]
    assert points == list(range(len(points))) and len(points) > 70
    threads = optuna.create_study(sampler=SwarmgradSampler("de(particles=10)", n_trials=100, seed=1), direction="maximize")
    threads.optimize(lambda t: -objective(t), n_trials=60, n_jobs=3)
    assert threads.best_value > -5


def test_sklearn():
    sklearn = pytest.importorskip("sklearn")  # noqa: F841
    from sklearn.datasets import load_iris
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import SVC

    from swarmgrad.sklearn import SwarmSearchCV

    x, y = load_iris(return_X_y=True)
    space = {"C": Log(1e-3, 1e3), "gamma": Log(1e-4, 10), "kernel": Choice(["rbf", "linear"])}
    search = SwarmSearchCV(SVC(), space, n_iter=25, method="de(particles=8)", cv=3, random_state=1).fit(x, y)
    assert len(search.cv_results_["params"]) == 25 and search.best_score_ > 0.95
    assert search.best_score_ == pytest.approx(cross_val_score(SVC(**search.best_params_), x, y, cv=3).mean())
    assert search.score(x, y) > 0.95
    again = SwarmSearchCV(SVC(), space, n_iter=25, method="de(particles=8)", cv=3, random_state=1).fit(x, y)
    assert again.best_params_ == search.best_params_


def test_sklearns_own_checks():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import Ridge
    from sklearn.utils.estimator_checks import check_estimator

    from swarmgrad.sklearn import SwarmSearchCV

    # What scikit-learn expects its own searches to fail at, too.
    from sklearn.model_selection import RandomizedSearchCV

    def failed(estimator):
        checks = check_estimator(estimator, on_skip=None, on_fail=None)
        return {check["check_name"] for check in checks if check["status"] == "failed"}

    ours = failed(SwarmSearchCV(Ridge(), {"alpha": Log(1e-2, 1e2)}, n_iter=4, cv=2, method="random_search", random_state=0))
    theirs = failed(RandomizedSearchCV(Ridge(), {"alpha": [0.01, 0.1, 1, 10]}, n_iter=4, cv=2, random_state=0))
    assert ours <= theirs


@pytest.fixture
def record(tmp_path):
    space = Space({"lr": Log(1e-4, 1), "n": Integer(1, 8), "act": Choice(["relu", "tanh"])})

    def fun(p):
        return float("nan") if p["n"] == 8 else p["lr"] + p["n"] + (p["act"] == "relu")

    result = minimize(fun, space, method="de", rng=1, maxfun=80, record=tmp_path / "run.jsonl")
    return journal.read(tmp_path / "run.jsonl"), result


def test_records_are_read(record, tmp_path):
    record, result = record
    assert len(record) == 80 and record.names == ["lr", "n", "act"] and np.isnan(record.values).sum() == result.failures > 0
    assert np.array_equal(record.history["fun"][-1:], [result.fun]) and record.results[-1]["fun"] == result.fun
    lines = (tmp_path / "run.jsonl").read_bytes()
    (tmp_path / "torn.jsonl").write_bytes(lines[:-5])
    assert len(journal.read(tmp_path / "torn.jsonl")) == 80
    (tmp_path / "bad.jsonl").write_bytes(lines.replace(b'"row":3,', b'"row":4,', 1))
    with pytest.raises(ValueError, match="line .* is damaged"):
        journal.read(tmp_path / "bad.jsonl")


def test_records_in_pandas(record):
    pytest.importorskip("pandas")
    frame = record[0].pandas()
    assert list(frame.columns[:5]) == ["id", "round", "lr", "n", "act"] and len(frame) == 80
    assert frame["value"].min() == record[1].fun and (frame.loc[frame["n"] == 8, "failure"] == "not_finite").all()


def test_records_in_optuna(record, optuna, tmp_path):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(tmp_path / "optuna.log")))
    record[0].optuna(storage, "ours")
    study = optuna.load_study(storage=storage, study_name="ours")
    assert study.best_value == record[1].fun and len(study.trials) == 80
    assert study.best_params["act"] == record[1].x["act"]


def test_plots(record, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from swarmgrad import plot

    record, result = record
    ax = plot.convergence([result, record], labels=["result", "record"])
    assert len(ax.lines) == 2 and ax.get_xlabel() == "evaluations"
    assert len(plot.parallel(record).lines) == 80 - result.failures
    assert len(plot.slices(record)) == 3
    problem = problems.get("himmelblau", 2)
    minimize(problem, method="de", rng=1, maxfun=100, record=tmp_path / "flat.jsonl")
    ax = plot.trajectory(problem, tmp_path / "flat.jsonl")
    assert ax.get_xlim() == tuple(problem.bounds[0])
    axes = swarmgrad.minimize_many(problem, ["de", "pso"], runs=3, maxfun=100).plot()
    assert len(axes) == 1 and len(axes[0].lines) == 2
    axes[0].figure.savefig(tmp_path / "comparison.png")


def test_pickling_across_processes():
    opt = Optimizer(BOX, method="de", budget=100, rng=1)
    opt.tell([sphere(x) for x in opt.ask()])
    assert pickle.loads(pickle.dumps(opt)).result.fun == opt.result.fun


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX", exc_type=ImportError)
    path = tmp_path / "run.jsonl"
    minimize(sphere, BOX, maxfun=40, rng=1, record=path)
    record = journal.read(path)
    record.tensorboard(tmp_path / "events")
    (file,) = (tmp_path / "events").iterdir()
    data = file.read_bytes()
    # A value, its step and its tag an event: 40 values and two coordinates each, and the improvements.
    assert data.count(b"x/x0") == data.count(b"x/x1") == 40 and data.count(b"value") >= 40
    assert data.count(b"best") == len(record.history["nfev"])
