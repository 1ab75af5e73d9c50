import pickle

import numpy as np
import pytest

from swarmgrad import Choice, Integer, Log, Optimizer, Space, minimize, problems

BOX = [(-5, 5)] * 2


def bowl(x):
    return float(x[0] ** 2 + x[1] ** 2)


def line(x):
    return x[0] + x[1] - 1


def same(a, b):
    return a.fun == b.fun and np.array_equal(a.x, b.x) and a.nfev == b.nfev


@pytest.mark.parametrize("method", ["auto", "de", "cma_es"])
@pytest.mark.parametrize("constraint", ["x0 + x1 >= 1", {"type": "ineq", "fun": line}], ids=["text", "function"])
def test_the_point_of_a_line_nearest_to_zero(method, constraint):
    result = minimize(bowl, BOX, method=method, constraints=constraint, rng=1, maxfun=3000)
    assert result.feasible and result.success and result.violation == 0 and line(result.x) >= -1e-6
    assert result.fun == pytest.approx(0.5, abs=2e-2) and len(result.constraints) == 1
    assert (np.diff(result.history["fun"]) < 0).all() and result.history["fun"][-1] == result.fun


def test_equations_and_more_arguments():
    equal = {"type": "eq", "fun": lambda x, c: x[0] + x[1] - c, "args": (1.0,)}
    result = minimize(bowl, BOX, constraints=equal, rng=1, maxfun=4000)
    assert result.feasible and abs(line(result.x)) <= 1e-4 and result.fun == pytest.approx(0.5, abs=1e-3)
    wide = minimize(bowl, BOX, constraints=equal, constraint_tolerance=0.1, rng=1, maxfun=4000)
    assert wide.feasible and wide.fun < result.fun - 0.01


def test_nothing_feasible_is_said():
    result = minimize(bowl, BOX, method="de", constraints=["x0 >= 6"], rng=1, maxfun=200)
    assert not result.feasible and not result.success and result.violation > 0.9


def test_the_same_everywhere(tmp_path):
    def run(fun=bowl, **more):
        return minimize(fun, BOX, method="de", constraints=[{"type": "ineq", "fun": line}, "x0 <= 2"], rng=1, maxfun=200, **more)

    one = run()
    assert same(one, run(lambda X: (X**2).sum(axis=1), vectorized=True))
    assert same(one, run(workers=map)) and same(one, run(workers=2))
    path = tmp_path / "run.jsonl"
    assert same(one, run(record=path))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:60]))
    again = run(record=path)
    assert same(one, again) and again.repeated == 59
    with pytest.raises(OSError, match="holds another run.*constraints"):
        minimize(bowl, BOX, method="de", rng=1, maxfun=200, record=path)


def test_typed_points():
    space = Space({"lr": Log(1e-3, 1), "n": Integer(1, 8), "act": Choice(["a", "b"])})
    more_than_three = {"type": "ineq", "fun": lambda p: p["n"] - 3}
    result = minimize(lambda p: p["n"] + p["lr"], space, constraints=[more_than_three, "lr >= 0.01"], rng=1, maxfun=400)
    assert result.x["n"] == 3 and result.x["lr"] >= 0.01 - 1e-6 and result.fun < 3.1


def test_a_test_problem_keeps_to_its_own():
    problem = problems.get("cec2006/g06", 2)
    native = minimize(problem, rng=1, maxfun=2000)
    assert native.feasible and len(problem.constraints) == len(native.constraints) == 2
    assert native.fun == pytest.approx(problem.minimum, rel=1e-3)
    x = np.array(native.x)
    assert problem.constraint_values(x) == list(native.constraints.values())
    driven = minimize(problem, method="de", rng=1, maxfun=500, workers=map)
    assert problem(np.array(driven.x)) == driven.fun and len(driven.constraints) == 2


def test_ask_and_tell():
    opt = Optimizer(BOX, method="de", budget=400, rng=1, constraints=["x0 <= 2", "c0 >= 0"])
    assert opt.constraint_names == ["c0"]
    while not opt.done:
        xs = opt.ask()
        if opt.result.nfev > 150 and not opt.result.nfev > 200:
            opt = pickle.loads(pickle.dumps(opt))
        opt.tell([bowl(x) for x in xs], [[line(x)] for x in xs])
    result = opt.result
    both = [{"type": "ineq", "fun": line}]
    assert result.fun == minimize(bowl, BOX, method="de", constraints=["x0 <= 2", *both], rng=1, maxfun=400).fun
    other = Optimizer(BOX, method="de", budget=100, rng=1, constraints="stress <= 3")
    other.ask()
    with pytest.raises(ValueError, match="0 values, expected 1"):
        other.tell_one(0, 1.0)
    with pytest.raises(ValueError, match="constraints have shape"):
        other.tell(np.ones(len(other.ask())), np.ones(3))
    with pytest.raises(ValueError, match="texts"):
        Optimizer(BOX, constraints=both)


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="returned 2 values, expected 1"):
        calls = []
        minimize(bowl, BOX, method="de", constraints={"type": "ineq", "fun": lambda x: calls.append(1) or [1.0] * min(len(calls), 2)})
    with pytest.raises(ValueError, match="constraint"):
        minimize(bowl, BOX, constraint_tolerance=0.1, maxfun=10)
