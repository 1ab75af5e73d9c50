import copy
import pickle
import time

import numpy as np
import pytest

from swarmgrad import Choice, Log, Optimizer, Space, minimize

BOX = [(-5, 5)] * 3


def sphere(x):
    return float(((x - 1) ** 2).sum())


def finish(opt):
    while not opt.done:
        xs = opt.ask()
        opt.tell([sphere(x) for x in xs])
    return opt.result


@pytest.mark.parametrize("method", ["de", "cma_es", "auto", "bipop_cma_es", "nelder_mead"])
def test_ask_and_tell_is_minimize(method):
    whole = minimize(sphere, BOX, method=method, rng=4, maxfun=500)
    result = finish(Optimizer(BOX, method=method, budget=500, rng=4))
    assert (result.fun, result.nfev, result.message) == (whole.fun, whole.nfev, whole.message)
    assert np.array_equal(result.x, whole.x) and np.array_equal(result.history["fun"], whole.history["fun"])


def test_single_values_in_any_order():
    opt = Optimizer(BOX, method="de", budget=300, rng=4)
    order = np.random.default_rng(0)
    while not opt.done:
        xs, ids = opt.ask(), opt.ids
        for k in order.permutation(len(ids)):
            opt.tell_one(ids[k], sphere(xs[k]))
    assert opt.result.fun == minimize(sphere, BOX, method="de", rng=4, maxfun=300).fun


def test_asking_twice_and_in_parts():
    opt = Optimizer(BOX, method="de(particles=10)", budget=100, rng=1)
    xs = opt.ask()
    assert xs.shape == (10, 3) and np.array_equal(opt.ask(), xs)
    other = Optimizer(BOX, method="de(particles=10)", budget=100, rng=1)
    first = other.ask(4)
    ids = other.ids
    second = other.ask(4)
    assert np.array_equal(np.concatenate([first, second]), xs[:8]) and other.ids == [4, 5, 6, 7]
    for number, x in zip(ids, first):
        other.tell_one(number, sphere(x))
    assert np.array_equal(other.ask(), xs[4:])
    assert len(other.ask(3)) == 0


def test_misuse_is_named():
    opt = Optimizer(BOX, method="de", budget=300, rng=4)
    with pytest.raises(ValueError, match=r"shape \(2,\), expected \(0,\)"):
        opt.tell([1, 2])
    xs = opt.ask()
    with pytest.raises(ValueError, match="expected"):
        opt.tell(np.ones((len(xs), 2)))
    opt.tell_one(0, 1.0)
    with pytest.raises(ValueError, match="number 0.*told already"):
        opt.tell_one(0, 1.0)
    with pytest.raises(ValueError, match="number 999.*no such point"):
        opt.tell_one(999, 1.0)
    with pytest.raises(TypeError, match="NoneType"):
        opt.tell_one(1, None)


@pytest.mark.parametrize("method", ["auto", "cma_es", "lshade"])
@pytest.mark.parametrize("way", ["pickle", "copy", "save"])
def test_a_run_survives(method, way, tmp_path):
    whole = finish(Optimizer(BOX, method=method, budget=400, rng=4))
    opt = Optimizer(BOX, method=method, budget=400, rng=4)
    while opt.result.nfev < 40:
        opt.tell([sphere(x) for x in opt.ask()])
    xs, ids = opt.ask(), opt.ids
    opt.tell_one(ids[0], sphere(xs[0]), None)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(opt))
    elif way == "copy":
        again = copy.deepcopy(opt)
    else:
        opt.save(tmp_path / "run.json")
        again = Optimizer.load(tmp_path / "run.json")
    assert again.ids == ids
    for number, x in list(zip(ids, xs))[1:]:
        again.tell_one(number, sphere(x))
    result = finish(again)
    assert result.fun == whole.fun and np.array_equal(result.x, whole.x) and result.nfev == whole.nfev
    assert finish(pickle.loads(pickle.dumps(again))).fun == whole.fun
    assert len(again.ask()) == 0 and again.done


def test_a_run_with_a_quorum_survives():
    def go(opt, until):
        order = np.random.default_rng(3)
        while not opt.done and opt.result.nfev < until:
            xs, ids = opt.ask(), opt.ids
            for k in order.permutation(len(ids))[: max(1, len(ids) * 3 // 4)]:
                opt.tell_one(ids[k], sphere(xs[k]))
        return opt

    make = lambda: Optimizer(BOX, method="de(particles=12)", budget=200, rng=4, quorum=0.5)  # noqa: E731
    opt = go(make(), 90)
    again = pickle.loads(pickle.dumps(opt))
    assert np.array_equal(opt.ask(), again.ask()) and opt.result.fun == again.result.fun
    assert go(opt, 200).result.fun == go(again, 200).result.fun


def test_failures_and_records(tmp_path):
    path = tmp_path / "run.jsonl"
    opt = Optimizer(BOX, method="de", budget=60, rng=1, record=path)
    xs = opt.ask()
    time.sleep(0.002)
    opt.tell_one(0, float("nan"), failure="the mesh broke")
    opt.tell_one(1, sphere(xs[1]))
    assert opt.result.failures == 1 and "the mesh broke" in path.read_text()
    assert len(path.read_text().splitlines()) == 3


def test_typed_points():
    space = Space({"lr": Log(1e-4, 1), "act": Choice([abs, len, max])})
    opt = Optimizer(space, method="de", budget=200, rng=1)
    while not opt.done:
        opt.tell([(p["lr"] - 0.01) ** 2 + (p["act"] is not len) for p in opt.ask()])
    assert opt.result.x["act"] is len
    again = pickle.loads(pickle.dumps(opt))
    assert again.result.x == opt.result.x


def test_maximising():
    opt = Optimizer(BOX, method="de", budget=300, rng=4, maximize=True)
    while not opt.done:
        opt.tell([-sphere(x) for x in opt.ask()])
    assert opt.result.fun == -minimize(sphere, BOX, method="de", rng=4, maxfun=300).fun
