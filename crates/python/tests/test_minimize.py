import copy
import math
import pickle
import traceback

import numpy as np
import pytest

import swarmgrad
from swarmgrad import Choice, Integer, Log, OptimizeResult, Space, minimize, problems

BOX = [(-5, 5)] * 3


def sphere(x):
    return float(((x - 1) ** 2).sum())


def same(a, b):
    return a.fun == b.fun and np.array_equal(a.x, b.x) and a.nfev == b.nfev


def test_it_minimises():
    result = minimize(sphere, BOX, rng=1, maxfun=3000)
    assert result.fun < 1e-12 and result.success and result.nfev <= 3000
    assert np.allclose(result.x, 1, atol=1e-5)
    assert result.method == "auto" and result.seed == 1 and result.message


def test_results_behave_as_scipys():
    result = minimize(sphere, BOX, method="de", rng=1, maxfun=300)
    assert result["fun"] is result.fun and "fun" in result.keys() and "x" in dir(result)
    with pytest.raises(AttributeError, match="nothing"):
        result.nothing
    result.note = 3
    assert result["note"] == 3
    assert "fun: " in repr(result) and "nfev: 300" in repr(result)
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is OptimizeResult and same(again, result) and again.note == 3
    assert result.njev == 0 and isinstance(result.nit, int) and isinstance(result.status, int)
    page = result._repr_html_()
    assert page.count("<svg") == 1 and "<th" in page and page.count("<path") == 2
    assert result.history["nfev"][-1] <= 300 and result.history["fun"][-1] == result.fun
    assert (np.diff(result.history["fun"]) < 0).all()


@pytest.mark.parametrize("method", ["de", "cma_es", "pso", "auto", "nelder_mead"])
def test_vectorised_and_scalar_are_the_same(method):
    one = minimize(lambda x: float((x * x).sum()), BOX, method=method, rng=5, maxfun=400)
    shapes = []

    def many(X):
        shapes.append(X.shape)
        return np.array([(x * x).sum() for x in X])

    assert same(one, minimize(many, BOX, method=method, rng=5, maxfun=400, vectorized=True))
    assert all(len(shape) == 2 and shape[1] == 3 for shape in shapes)


def test_answers_of_many_shapes():
    results = [
        minimize(fun, BOX, method="de", rng=2, maxfun=100)
        for fun in (
            sphere,
            lambda x: np.float64(sphere(x)),
            lambda x: np.array(sphere(x)),
            lambda x: np.array([sphere(x)]),
            lambda x: np.array([[sphere(x)]]),
        )
    ]
    assert all(same(results[0], other) for other in results[1:])
    assert minimize(lambda x: int(x[0] > 0), BOX, method="de", rng=1, maxfun=50).fun == 0
    assert same(
        minimize(lambda X: ((X - 1) ** 2).sum(axis=1), BOX, method="de", rng=2, maxfun=100, vectorized=True),
        minimize(lambda X: ((X - 1) ** 2).sum(axis=1, keepdims=True), BOX, method="de", rng=2, maxfun=100, vectorized=True),
    )


@pytest.mark.parametrize(
    "answer, error, text",
    [
        (None, TypeError, "returned NoneType.*return missing"),
        ("3", TypeError, "returned str, expected a number"),
        ([1.0], TypeError, "returned list"),
        (1j, TypeError, "returned complex"),
        (np.ones(3), ValueError, r"shape \(3,\), expected \(\) or one entry"),
        (np.array([1j]), TypeError, "complex"),
    ],
)
def test_what_is_no_number_is_an_error(answer, error, text):
    with pytest.raises(error, match=text):
        minimize(lambda x: answer, BOX, maxfun=50)
    result = minimize(lambda x: answer if x[0] > 0 else 1.0, BOX, method="de", rng=1, maxfun=50, on_error="skip")
    assert 0 < result.failures < 50 and result.nfev == 50 and result.last_failure["detail"]


def test_wrong_shapes_show_both():
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(\d+,\)"):
        minimize(lambda X: np.ones(3), BOX, method="de", maxfun=50, vectorized=True)
    with pytest.raises(ValueError, match=r"x0 has shape \(2,\), expected \(3,\)"):
        minimize(sphere, BOX, x0=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(2,\), expected \(3,\)"):
        minimize(sphere, BOX, method="quasi_newton", jac=lambda x: np.ones(2), maxfun=50)


def test_nan_is_a_failed_point():
    result = minimize(lambda x: math.nan if x[0] < 0 else sphere(x), BOX, method="de", rng=1, maxfun=400)
    assert result.failures > 0 and result.fun < 1 and result.failure_kinds["not_finite"] == result.failures
    nothing = minimize(lambda x: math.inf, BOX, method="de", rng=1, maxfun=60)
    assert not nothing.success and nothing.failures == 60 and nothing.fun == math.inf


def test_exceptions_keep_their_traceback_and_the_result():
    calls = []

    def failing_objective(x):
        calls.append(x)
        if len(calls) == 60:
            raise ZeroDivisionError("at sixty")
        return sphere(x)

    with pytest.raises(ZeroDivisionError, match="at sixty") as info:
        minimize(failing_objective, BOX, method="de", rng=1, maxfun=500)
    assert "failing_objective" in "".join(traceback.format_tb(info.value.__traceback__))
    assert info.value.result.nfev == 59 and info.value.result.fun == min(map(sphere, calls[:59]))
    calls.clear()
    result = minimize(failing_objective, BOX, method="de", rng=1, maxfun=500, on_error="skip")
    assert result.failures == 1 and result.nfev == 500


def test_ctrl_c_has_the_result():
    import _thread

    calls = []

    def objective(x):
        calls.append(1)
        if len(calls) == 40:
            _thread.interrupt_main()
        return sphere(x)

    with pytest.raises(KeyboardInterrupt) as info:
        minimize(objective, BOX, method="de", rng=1, maxfun=10**6)
    assert 38 <= info.value.result.nfev <= 42 and not info.value.result.success


def test_ctrl_c_ends_a_native_run():
    import _thread
    import threading
    import time

    begun = []

    def interrupt():
        begun.append(time.monotonic())
        _thread.interrupt_main()

    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt) as info:
        minimize(problems.get("rastrigin", 30), method="random_search", maxfun=10**10, time_limit=60)
    assert time.monotonic() - begun[0] < 2 and info.value.result.nfev > 0


def test_callbacks():
    seen = []
    minimize(sphere, BOX, method="de", rng=1, maxfun=300, callback=lambda x: seen.append(x.copy()))
    assert len(seen) > 2 and sphere(seen[-1]) <= sphere(seen[0])
    whole = []

    def callback(intermediate_result):
        whole.append(intermediate_result)
        return len(whole) == 3

    result = minimize(sphere, BOX, method="de", rng=1, maxfun=10**5, callback=callback)
    assert len(whole) == 3 and result.fun == whole[-1].fun and "callback" in result.message

    def stop(x):
        raise StopIteration

    for fun in (sphere, problems.get("sphere", 3)):
        stopped = minimize(fun, BOX, method="de", rng=1, callback=stop)
        assert stopped.nfev < 200 and stopped.success and "callback" in stopped.message
    native = []
    problem = problems.get("sphere", 3)
    minimize(problem, method="de", rng=1, maxfun=300, callback=lambda x: native.append(x))
    assert len(native) == len(seen)

    def broken(x):
        raise LookupError("in the callback")

    for fun, bounds in ((sphere, BOX), (problem, None)):
        with pytest.raises(LookupError, match="in the callback"):
            minimize(fun, bounds, method="de", callback=broken)


def test_limits():
    assert minimize(sphere, BOX, rng=1, target=0.5).fun <= 0.5
    assert minimize(sphere, BOX, method="de", rng=1, maxiter=4).nit == 4
    assert minimize(sphere, BOX, method="de", rng=1, time_limit=0.1, maxfun=10**9).message == "time is over"
    assert "no improvement" in minimize(lambda x: 1.0, BOX, method="de", rng=1, patience=5).message
    flat = minimize(sphere, BOX, method="de", rng=1, tolerance=0.9, patience=100, maxfun=10**6)
    assert flat.nfev < 10_000 and "no improvement" in flat.message
    native = minimize(problems.get("sphere", 3), method="de", rng=1, tolerance=0.9, patience=100, maxfun=10**6)
    assert native.nfev < 10_000


def test_seeds():
    run = lambda **more: minimize(sphere, BOX, method="de", maxfun=200, **more)  # noqa: E731
    assert same(run(rng=3), run(seed=3)) and not same(run(rng=3), run(rng=4))
    assert same(run(rng=np.random.default_rng(1)), run(rng=np.random.default_rng(1)))
    free = run()
    assert same(free, run(rng=free.seed)) and not same(free, run())
    with pytest.raises(ValueError, match="two names"):
        run(rng=1, seed=1)
    with pytest.raises(ValueError, match="rng = 'x'"):
        run(rng="x")


def test_more_arguments():
    assert same(
        minimize(lambda x, a, b: a * sphere(x) + b, BOX, (2.0, 0.0), method="de", rng=1, maxfun=200),
        minimize(lambda x: 2.0 * sphere(x) + 0.0, BOX, method="de", rng=1, maxfun=200),
    )
    best = minimize(lambda x: -sphere(x), BOX, method="de", rng=1, maxfun=500, maximize=True)
    assert best.fun == -sphere(best.x) and best.fun > -1 and best.history["fun"][-1] == best.fun
    start = minimize(sphere, BOX, method="de", rng=1, maxfun=1, x0=[1, 1, 1])
    assert start.fun == 0 and start.nfev == 1
    free = minimize(sphere, x0=[3.0, -2.0, 0.0], rng=1, maxfun=2000)
    assert free.fun < 1e-8
    noise = np.random.default_rng(1)
    noisy = minimize(lambda x: sphere(x) + noise.normal(0, 0.1), BOX, method="de", rng=1, maxfun=2000, noisy=True)
    assert noisy.noise["low"] <= noisy.fun <= noisy.noise["high"]
    assert minimize(sphere, BOX, method="pso(particles=7)", rng=1, maxfun=70).params["particles"] == 7
    assert minimize(sphere, BOX, method="pso", options={"particles": 7}, rng=1, maxfun=70).params["particles"] == 7
    assert minimize(sphere, BOX, method="de", outside="reflect", rng=1, maxfun=70).nfev == 70


def test_what_does_not_fit_is_named():
    for arguments, text in [
        ({"method": "psoo"}, "unknown method 'psoo', did you mean 'pso'"),
        ({"method": "pso", "options": {"particels": 3}}, "did you mean 'particles'"),
        ({"outside": "mirror"}, "outside = 'mirror'"),
        ({"quorum": 2}, "quorum = 2"),
        ({"maxfun": 0}, "maxfun = 0: must be a whole number"),
        ({"on_error": "ignore"}, "on_error = 'ignore'"),
        ({"x0": [9, 9, 9]}, "x0 point 0, variable 0 = 9"),
        ({"target": math.nan}, "target"),
        ({"time_limit": -1}, "time_limit = -1"),
        ({"workers": 0}, "workers = 0"),
        ({"workers": 2, "vectorized": True}, "vectorized"),
    ]:
        with pytest.raises(ValueError, match=text):
            minimize(sphere, BOX, **arguments)
    with pytest.raises(ValueError, match="bounds"):
        minimize(sphere)
    with pytest.raises(ValueError, match="must be a pair"):
        minimize(sphere, [1, 2, 3])
    with pytest.raises(ValueError, match=r"bounds\[1\]|2\.0:1\.0|lower bound"):
        minimize(sphere, [(0, 1), (2, 1)])
    with pytest.raises(ValueError, match="constraints: .*must have type 'ineq'"):
        minimize(sphere, BOX, constraints=[{"type": "geq", "fun": sphere}])
    with pytest.raises(ValueError, match="constraints: unknown name 'x3'"):
        minimize(sphere, BOX, constraints="x3 <= 1")
    with pytest.raises(ValueError, match="constraint = 'x0 <<= 1'"):
        minimize(sphere, BOX, constraints="x0 <<= 1")


def test_bounds_of_many_forms():
    class Bounds:
        lb, ub = np.array([-5.0, -5, -5]), 5.0

    pairs = minimize(sphere, BOX, method="de", rng=1, maxfun=100)
    assert same(pairs, minimize(sphere, np.array(BOX), method="de", rng=1, maxfun=100))
    assert same(pairs, minimize(sphere, Bounds(), method="de", rng=1, maxfun=100))
    assert minimize(sphere, [(None, None), (0, None), (-1, 2)], rng=1, maxfun=2000).fun < 1e-6


def test_gradients_are_used():
    calls = []

    def gradient(x):
        calls.append(1)
        return 2 * (x - 1)

    result = minimize(sphere, BOX, method="quasi_newton", jac=gradient, rng=1, maxfun=200)
    assert result.fun < 1e-15 and result.njev == len(calls) > 0
    both = minimize(lambda x: (sphere(x), 2 * (x - 1)), BOX, method="quasi_newton", jac=True, rng=1, maxfun=200)
    assert same(result, both) and both.njev == result.njev
    with pytest.warns(RuntimeWarning, match="does not use gradient"):
        assert minimize(sphere, BOX, method="de", jac=gradient, rng=1, maxfun=100).njev == 0


SPACE = Space({"lr": Log(1e-5, 1), "layers": Integer(1, 8), "act": Choice(["relu", "tanh", math.sin]), "x": (-1, 1)})


def typed(p):
    return (math.log10(p["lr"]) + 2) ** 2 + (p["layers"] - 3) ** 2 + (p["act"] is not math.sin) + p["x"] ** 2


def test_typed_points_are_dicts():
    result = minimize(typed, SPACE, rng=1, maxfun=1500)
    assert list(result.x) == ["lr", "layers", "act", "x"] and typed(result.x) == result.fun < 0.1
    assert result.x["layers"] == 3 and type(result.x["layers"]) is int and result.x["act"] is math.sin
    start = {"lr": 0.01, "layers": 3, "act": math.sin, "x": 0.0}
    assert minimize(typed, SPACE, x0=start, method="de", rng=1, maxfun=1).fun < 1e-20
    many = minimize(
        lambda c: [typed(dict(zip(c, row))) for row in zip(*c.values())], SPACE, rng=1, maxfun=300, vectorized=True
    )
    one = minimize(typed, SPACE, rng=1, maxfun=300)
    assert many.fun == one.fun and many.x == one.x
    seen = []
    minimize(typed, SPACE, rng=1, maxfun=100, method="de", callback=seen.append)
    assert seen[0]["act"] in SPACE["act"].of
    plain = {"a": (0, 1), "b": [1, 2]}
    assert set(minimize(lambda p: p["a"] + p["b"], plain, rng=1, maxfun=60, method="de").x) == {"a", "b"}


def test_spaces():
    assert pickle.loads(pickle.dumps(Space({"a": Choice([(3, 4), (5,)])})))["a"].of == [(3, 4), (5,)]
    assert SPACE.dim == 1 + 1 + 3 + 1 and len(SPACE) == 4 and "Log(1e-05, 1.0)" in repr(SPACE)
    x = SPACE.encode([{"lr": 0.5, "layers": 8, "act": "tanh", "x": 0.25}])[0]
    assert SPACE.decode(x) == {"lr": pytest.approx(0.5, rel=1e-15), "layers": 8, "act": "tanh", "x": 0.25}
    with pytest.raises(ValueError, match="variable a = log:0:1: .* above 0"):
        Space({"a": Log(0, 1)})
    with pytest.raises(ValueError, match="different texts"):
        Space({"a": Choice(["1", 1])})
    with pytest.raises(TypeError, match="no variable"):
        Space({"a": 3})
    with pytest.raises(ValueError, match="names"):
        minimize(typed, SPACE, x0={"lr": 0.1})


def test_test_problems():
    problem = problems.get("rosenbrock", 4)
    x = np.full(4, 0.5)
    assert problem(np.ones(4)) == problem.minimum == 0 and problem.dim == 4 and len(problem.bounds) == 4
    assert np.array_equal(problem(np.stack([x, x + 1])), [problem(x), problem(x + 1)])
    assert problem([1, 1, 1, 1]) == 0 and np.allclose(problem.gradient(np.ones(4)), 0)
    assert pickle.loads(pickle.dumps(problem)).name == "rosenbrock" and "rosenbrock" in problems.names()
    with pytest.raises(ValueError, match=r"\[3\], expected \(4,\)"):
        problem(np.ones(3))
    with pytest.raises(ValueError, match="did you mean 'rastrigin'"):
        problems.get("rastrign")


def test_the_registry():
    names = swarmgrad.list_methods()
    assert {"auto", "de", "pso", "cma_es", "diff_de"} <= set(names)
    info = swarmgrad.method_info("pso")
    assert info["name"] == "pso" and {"name", "default", "range", "about"} <= set(info["parameters"][0])
    with pytest.raises(ValueError, match="did you mean"):
        swarmgrad.method_info("psso")


def test_only_numpy_is_imported():
    import subprocess
    import sys

    code = "import swarmgrad, sys; print([m for m in ('scipy', 'torch', 'matplotlib', 'pandas', 'optuna') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_study_is_a_run_that_is_kept():
    arguments = {"method": "de", "maxfun": 600, "options": {"particles": 20}}
    study = swarmgrad.Study(sphere, [(-5, 5)] * 3, **arguments)
    alone = minimize(sphere, [(-5, 5)] * 3, rng=4, **arguments)
    result = study.run(rng=4)
    assert result.fun == alone.fun and np.array_equal(result.x, alone.x) and result.nfev == alone.nfev
    assert study.run(seed=4).fun == swarmgrad.Study(sphere, [(-5, 5)] * 3, rng=9, **arguments).run(rng=4).fun == alone.fun
    assert study.run(rng=4, maxfun=100).nfev == 100 and study.maxfun == 600 and study.patience is None
    many = study.repeat(3, rng=3)
    assert [row["seed"] for row in many.rows] == [3, 4, 5] and many.rows[1]["result"].fun == alone.fun
    assert study.repeat(2).rows[0]["result"].fun == study.run(rng=0).fun
    assert study.repeat(2, target=1e-2).success()["sphere", "de"][0] == 1
    assert "method='de'" in repr(study) and copy.copy(study).method == "de" and pickle.loads(pickle.dumps(study)).maxfun == 600
    with pytest.raises(TypeError, match="'maxfum' is no argument of minimize; did you mean 'maxfun'"):
        swarmgrad.Study(sphere, maxfum=3)
    with pytest.raises(TypeError, match="'popsize'"):
        study.run(popsize=3)
    with pytest.raises(ValueError, match="record: a file holds one run"):
        study.repeat(2, record="run.jsonl")
    with pytest.raises(AttributeError, match="'budget'"):
        study.budget


def test_many_runs_are_compared():
    comparison = swarmgrad.minimize_many(
        problems.get("sphere", 4), ["de", "random_search"], runs=5, maxfun=1000, target=1e-2, rng=1
    )
    name = comparison.problems[0]
    assert comparison.medians()[name, "de"] < comparison.medians()[name, "random_search"]
    share, low, high = comparison.success()[name, "random_search"]
    assert share == 0 and low == 0 and high == pytest.approx(0.4345, abs=1e-3)
    assert comparison.ranks() == {"de": 1.0, "random_search": 2.0}
    assert "mean rank: de 1.00" in repr(comparison)
    assert copy.copy(comparison).methods == ["de", "random_search"]
