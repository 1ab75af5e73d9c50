"""The same bits wherever points are evaluated, and what a worker that fails costs."""

import concurrent.futures
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from swarmgrad import Choice, Collective, Integer, Space, minimize

BOX = [(-5, 5)] * 3


def sphere(x, shift=1.0):
    return float(((x - shift) ** 2).sum())


def typed(p):
    return p["n"] + (p["act"] == "relu")


def kills(x):
    if x[0] > 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return sphere(x)


def longer(x):
    return [0.0] * 4


def hangs(x):
    if x[0] > 4.5:
        time.sleep(1000)
    return sphere(x)


def raises(x):
    if x[0] > 4:
        raise ZeroDivisionError("in a worker")
    return sphere(x)


def says_nothing(x):
    return None


def same(a, b):
    return a.fun == b.fun and np.array_equal(a.x, b.x) and (a.nfev, a.nit, a.failures) == (b.nfev, b.nit, b.failures)


@pytest.fixture(scope="module")
def expected():
    return minimize(sphere, BOX, method="cma_es", rng=2, maxfun=120)


def run(workers, **more):
    return minimize(sphere, BOX, method="cma_es", rng=2, maxfun=120, workers=workers, **more)


BEFORE = set()


@pytest.fixture(autouse=True)
def children_before():
    # Those of other engines, which keep theirs.
    BEFORE.clear()
    BEFORE.update(multiprocessing.active_children())


def no_children():
    end = time.monotonic() + 5
    while set(multiprocessing.active_children()) - BEFORE and time.monotonic() < end:
        time.sleep(0.01)
    return not set(multiprocessing.active_children()) - BEFORE


def test_processes(expected):
    assert same(run(2), expected) and no_children()
    assert same(minimize(sphere, BOX, (1.0,), method="cma_es", rng=2, maxfun=120, workers=2), expected)


def test_maps(expected):
    assert same(run(map), expected)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert same(run(pool.map), expected) and same(run(pool), expected)


def test_executors(expected):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert same(run(pool), expected) and same(run(pool, eval_timeout=60), expected)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert same(run(pool), expected)


def test_joblib(expected):
    joblib = pytest.importorskip("joblib")
    assert same(run(joblib.Parallel(2)), expected)


def test_dask(expected):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        assert same(run(client), expected)


def test_ray(expected):
    ray = pytest.importorskip("ray")
    from ray.util.multiprocessing import Pool

    ray.init(num_cpus=2, include_dashboard=False)
    with Pool(2) as pool:
        assert same(run(pool), expected)


RANKS = """
from mpi4py import MPI
from swarmgrad import Collective, minimize
from test_workers import BOX, sphere

result = minimize(sphere, BOX, method="cma_es", rng=2, maxfun=120, workers=Collective(MPI.COMM_WORLD))
found = MPI.COMM_WORLD.gather(float(result.fun))
if found:
    assert found == [found[0]] * 4
    print(repr(found[0]))
"""

MPI = """
from mpi4py.futures import MPIPoolExecutor
from swarmgrad import minimize
from test_workers import BOX, sphere

if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        result = minimize(sphere, BOX, method="cma_es", rng=2, maxfun=120, workers=pool)
    print(repr(float(result.fun)))
"""


def test_mpi(expected, tmp_path):
    mpiexec = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    mpiexec = mpiexec if os.path.exists(mpiexec) else shutil.which("mpiexec")
    try:
        from mpi4py import MPI as _  # noqa: F401
    except (ImportError, RuntimeError) as why:
        pytest.skip(f"mpi4py: {why}")
    if not mpiexec:
        pytest.skip("there is no mpiexec")
    (tmp_path / "run.py").write_text(MPI)
    path = os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])
    # Open MPI asks those who are root, or have fewer cores than ranks.
    allowed = {f"{name}_ALLOW_RUN_AS_ROOT{more}": "1" for name in ("OMPI", "PRTE") for more in ("", "_CONFIRM")}
    environment = {**os.environ, **allowed, "OMPI_MCA_rmaps_base_oversubscribe": "1", "PYTHONPATH": path}
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(tmp_path / "run.py")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == expected.fun
    (tmp_path / "ranks.py").write_text(RANKS)
    command = [mpiexec, "-n", "4", sys.executable, str(tmp_path / "ranks.py")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == expected.fun


class Ranks:
    """Communicators of threads, as mpi4py's."""

    def __init__(self, size):
        self.size, self.barrier, self.box = size, threading.Barrier(size), [None] * size

    def comm(self, rank):
        class Comm:
            Get_rank, Get_size = staticmethod(lambda: rank), staticmethod(lambda: self.size)

            @staticmethod
            def allgather(value):
                self.box[rank] = value
                self.barrier.wait()
                found = list(self.box)
                self.barrier.wait()
                return found

        return Comm


def test_ranks_of_a_collective_agree(expected):
    ranks, calls = Ranks(4), [0] * 4

    def rank(k, **more):
        workers = Collective(ranks.comm(k))

        def counted(x):
            calls[k] += 1
            return sphere(x)

        return minimize(counted, BOX, method="cma_es", maxfun=120, workers=workers, **more), workers.sent

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: rank(k, rng=2), range(4)))
        free = list(pool.map(rank, range(4)))
    assert all(same(result, expected) for result, _ in found)
    assert sum(sent for _, sent in found) == 8 * 120 and sum(calls) == 240
    assert all(same(result, free[0][0]) for result, _ in free)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(lambda k: _error(ranks.comm(k)), range(4)))
    assert errors == ["in a worker"] * 4
    with pytest.raises(ValueError, match="eval_timeout"):
        minimize(sphere, BOX, workers=Collective(ranks.comm(0)), eval_timeout=1)


def together(size, work):
    """``work(rank, workers)`` of all ranks of a Collective at once, in threads."""
    ranks = Ranks(size)
    with concurrent.futures.ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda k: work(k, Collective(ranks.comm(k))), range(size)))


def residuals(x):
    return x - 1.0


def two(x):
    return [float((x**2).sum()), float(((x - 1) ** 2).sum())]


def test_ranks_exchange_residuals_and_objectives():
    alone = minimize(residuals, BOX, residuals=True, rng=3, maxfun=200)
    for found in together(3, lambda _, w: minimize(residuals, BOX, residuals=True, rng=3, maxfun=200, workers=w)):
        assert same(found, alone) and np.array_equal(found.residuals, alone.residuals)
    alone = minimize(two, BOX, objectives=2, method="nsga2", rng=3, maxfun=300)
    for found in together(3, lambda _, w: minimize(two, BOX, objectives=2, method="nsga2", rng=3, maxfun=300, workers=w)):
        assert found.hypervolume == alone.hypervolume and np.array_equal(found.front.f, alone.front.f)


def test_ranks_keep_one_record_and_continue_it(tmp_path, expected):
    path = tmp_path / "run.jsonl"

    def begin(rank, workers, most):
        paths = {"record": path} if rank == 0 else {"record": tmp_path / "nobody.jsonl"}
        return minimize(sphere, BOX, method="cma_es", rng=2, maxfun=120, workers=workers, **paths,
                        callback=lambda intermediate_result: intermediate_result.nfev >= most)

    broken = together(3, lambda k, w: begin(k, w, 40))
    assert 40 <= broken[0].nfev < 120 and all(same(found, broken[0]) for found in broken)
    # The same call goes on, and so does resume= of rank 0 alone.
    path_again = tmp_path / "again.jsonl"
    shutil.copy(path, path_again)
    calls = [0] * 3

    def counted(k):
        def fun(x):
            calls[k] += 1
            return sphere(x)

        return fun

    def resume(rank, workers):
        return minimize(counted(rank), workers=workers, resume=path_again if rank == 0 else None, maxfun=120)

    whole = together(3, resume)
    assert all(same(found, expected) for found in whole) and sum(calls) == 120 - broken[0].nfev
    assert not (tmp_path / "nobody.jsonl").exists()
    errors = together(2, lambda k, w: _kind(lambda: minimize(sphere, workers=w, resume=tmp_path / "none.jsonl")))
    assert errors == [FileNotFoundError] * 2


def test_ranks_end_together_by_the_clock_of_rank_0():
    def slow(x):
        time.sleep(0.01)
        return sphere(x)

    found = together(3, lambda k, w: minimize(slow, BOX, method="de", rng=1, workers=w, time_limit=0.3 if k == 0 else 1000))
    assert all(same(other, found[0]) for other in found) and found[0].nfev > 0
    assert all("time" in result.message for result in found)


def _kind(work):
    try:
        work()
    except Exception as error:  # noqa: BLE001 - its kind is asked for
        return type(error)


def _error(comm):
    try:
        minimize(raises, BOX, method="de", rng=2, maxfun=200, workers=Collective(comm))
    except ZeroDivisionError as error:
        return str(error)


class FutureLater:
    """An executor as Dask and MPI have them, whose points are ready in the wrong order."""

    def __init__(self):
        self.waiting = []
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def submit(self, task, *args):
        future = concurrent.futures.Future()
        self.waiting.append((future, task, args))
        return future

    def work(self):
        while True:
            time.sleep(0.001)
            if self.waiting:
                future, task, args = self.waiting.pop()
                future.set_result(task(*args))


def test_the_order_of_answers_does_not_matter(expected):
    assert same(run(FutureLater()), expected)


def test_lambdas_need_cloudpickle():
    try:
        import cloudpickle  # noqa: F401
    except ImportError:
        with pytest.raises(TypeError, match="cloudpickle"):
            minimize(lambda x: sphere(x), BOX, method="de", maxfun=50, workers=2)
    else:
        assert same(
            minimize(lambda x: sphere(x), BOX, method="de", maxfun=50, rng=1, workers=2),
            minimize(sphere, BOX, method="de", maxfun=50, rng=1),
        )
    assert no_children()


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_killed_worker_costs_its_points():
    result = minimize(kills, BOX, method="de", rng=2, maxfun=60, workers=2)
    alone = minimize(lambda x: float("nan") if x[0] > 4 else sphere(x), BOX, method="de", rng=2, maxfun=60)
    assert result.failure_kinds["crashed"] == result.failures == alone.failures > 0
    assert result.fun == alone.fun and result.nfev == 60 and no_children()
    assert "exit code -9" in result.last_failure["detail"]


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_broken_executor_ends_the_run():
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(RuntimeError, match="takes no more points") as info:
            minimize(kills, BOX, method="de", rng=2, maxfun=200, workers=pool)
        assert info.value.result.failure_kinds["crashed"] > 0


def test_a_worker_that_hangs():
    begin = time.monotonic()
    result = minimize(hangs, BOX, method="de", rng=2, maxfun=60, workers=2, eval_timeout=0.5)
    alone = minimize(lambda x: float("nan") if x[0] > 4.5 else sphere(x), BOX, method="de", rng=2, maxfun=60)
    assert result.failure_kinds["timed_out"] == alone.failures > 0 and result.fun == alone.fun
    assert time.monotonic() - begin < 60 and no_children()
    one = minimize(hangs, BOX, method="de", rng=2, maxfun=30, workers=1, eval_timeout=0.5)
    assert one.nfev == 30 and no_children()


def test_exceptions_come_with_their_place():
    with pytest.raises(ZeroDivisionError, match="in a worker") as info:
        minimize(raises, BOX, method="de", rng=2, maxfun=200, workers=2)
    assert "in raises" in str(info.value.__cause__) and info.value.result.nfev >= 0 and no_children()
    result = minimize(raises, BOX, method="de", rng=2, maxfun=60, workers=2, on_error="skip")
    alone = minimize(raises, BOX, method="de", rng=2, maxfun=60, on_error="skip")
    assert same(result, alone) and result.failures > 0
    with pytest.raises(TypeError, match="returned NoneType"):
        minimize(says_nothing, BOX, method="de", maxfun=60, workers=2)
    assert no_children()


def test_a_quorum_goes_on_without_the_slow(tmp_path):
    path = tmp_path / "run.jsonl"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        result = minimize(
            lambda x: (time.sleep(0.02 if x[0] > 4 else 0.0), sphere(x))[1], BOX, method="de(particles=8)", rng=2,
            maxfun=80, workers=pool, quorum=0.75, record=path,
        )
    assert result.nfev <= 80 and result.fun < 30
    # In which order the values came is in the record.
    again = minimize(sphere, resume=path)
    assert again.fun == result.fun and again.nfev == result.nfev


def test_typed_points_reach_workers():
    space = Space({"n": Integer(1, 5), "act": Choice(["relu", "tanh"])})
    one = minimize(typed, space, method="de", rng=1, maxfun=40)
    assert minimize(typed, space, method="de", rng=1, maxfun=40, workers=2).x == one.x


def test_gradients_in_workers():
    jac = lambda x: 2 * (x - 1)  # noqa: E731
    one = minimize(sphere, BOX, method="quasi_newton", jac=jac, rng=1, maxfun=60)
    assert same(one, minimize(sphere, BOX, method="quasi_newton", jac=jac, rng=1, maxfun=60, workers=map))


def test_time_limits_and_callbacks():
    result = minimize(sphere, BOX, method="de", rng=1, maxfun=10**9, time_limit=0.3, workers=map)
    assert result.message == "time is over" and result.nfev > 0
    seen = []
    minimize(sphere, BOX, method="de", rng=1, maxfun=200, workers=map, callback=lambda x: seen.append(x))
    alone = []
    minimize(sphere, BOX, method="de", rng=1, maxfun=200, callback=lambda x: alone.append(x))
    assert len(seen) == len(alone)


def test_ctrl_c_leaves_no_process():
    import _thread

    timer = threading.Timer(1.5, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt) as info:
        minimize(sphere, BOX, method="de", rng=1, maxfun=10**9, workers=2)
    assert info.value.result.message == "interrupted" and no_children()


UNGUARDED = """
from swarmgrad import minimize
def f(x):
    return float((x * x).sum())
minimize(f, [(-1, 1)] * 2, method="de", maxfun=50, workers=2)
"""


def test_an_unguarded_script_is_told(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(UNGUARDED)
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and "if __name__ == '__main__':" in run.stderr


@pytest.mark.parametrize("workers", [1, map, 2])
def test_a_gradient_of_another_length_is_an_error_with_both(workers):
    with pytest.raises(ValueError, match=r"the gradient has shape \(4,\), expected \(3,\)"):
        minimize(sphere, BOX, jac=longer, method="quasi_newton", maxfun=60, rng=1, workers=workers)
