"""What an evaluation costs beyond the objective, in microseconds: ours and others', in one process.

    python benches/overhead.py            # scipy, cma, cmaes and pygmo where they are installed; a release build for figures of their own

Each figure is the median of five runs, in brackets the fastest: (CPU time of the run - time of as many bare calls) / evaluations.
"""

import math
import platform
import statistics
import time

import numpy as np

import swarmgrad

DIM, BUDGET, REPEATS = 10, 10_000, 5
BOUNDS = [(-5.0, 5.0)] * DIM


def scalar(x):
    return float(x @ x)


def many(X):
    return np.einsum("ij,ij->i", X, X)


def measure(run):
    """CPU microseconds an evaluation of this process, all threads together, for each of some runs."""
    run()
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        evaluations = run()
        times.append(1e6 * (time.process_time() - begin) / evaluations)
    return times


def vectorised(run, many):
    """The times of a run less those of the same batches without it."""
    sizes = []
    run(lambda X: (sizes.append(len(X)), many(X))[1])
    points = np.ones((max(sizes), DIM))

    def replay():
        for n in sizes:
            many(points[:n])
        return sum(sizes)

    less = statistics.median(measure(replay))
    return [time - less for time in measure(lambda: run(many))]


def row(name, call, scalar, vectorised=()):
    def cell(times):
        return f"{statistics.median(times):10.2f} ({min(times):.2f})" if times else ""

    print(f"{name:34}{cell([time - call for time in scalar]):>20}{cell(vectorised):>20}", flush=True)


def bare(fun=scalar):
    x = np.ones(DIM)
    for _ in range(BUDGET):
        fun(x)
    return BUDGET


def ours(method, call, scalar=scalar, many=many):
    def run(fun, vectorized):
        return swarmgrad.minimize(fun, BOUNDS, method=method, maxfun=BUDGET, rng=1, vectorized=vectorized).nfev

    row(f"swarmgrad {method}", call, measure(lambda: run(scalar, False)), vectorised(lambda fun: run(fun, True), many))


def rugged(x):
    """`auto` ends on the other function before it has begun."""
    return scalar(x) + 20.0 * math.sin(30.0 * x[0] * x[1]) + 20.0 * math.sin(30.0 * x[2] * x[3])


def many_rugged(X):
    return many(X) + 20.0 * np.sin(30.0 * X[:, 0] * X[:, 1]) + 20.0 * np.sin(30.0 * X[:, 2] * X[:, 3])


def scipy(call):
    import scipy
    from scipy.optimize import differential_evolution

    more = {"popsize": 10, "maxiter": BUDGET // (10 * DIM) - 1, "polish": False, "tol": 0, "seed": 1}
    vector = {**more, "vectorized": True, "updating": "deferred"}

    def rows(fun):
        calls = [0]

        def counted(X):
            calls[0] += X.shape[1]
            return fun(X.T)

        differential_evolution(counted, BOUNDS, **vector)
        return calls[0]

    one = measure(lambda: differential_evolution(scalar, BOUNDS, **more).nfev)
    row(f"scipy {scipy.__version__} differential_evolution", call, one, vectorised(rows, many))


def pycma(call):
    import cma

    def run():
        es = cma.CMAEvolutionStrategy(DIM * [1.0], 1.0, {"verbose": -9, "seed": 1, "maxfevals": 5000, "tolfun": 0, "tolx": 0})
        n = 0
        while n < 5000:
            X = es.ask()
            es.tell(X, [scalar(x) for x in X])
            n += len(X)
        return n

    row(f"pycma {cma.__version__.split()[0]}", call, measure(run))


def cmaes(call):
    import cmaes

    def run():
        es = cmaes.CMA(mean=np.ones(DIM), sigma=1.0, seed=1)
        n = 0
        while n < 5000:
            X = [es.ask() for _ in range(es.population_size)]
            es.tell([(x, scalar(x)) for x in X])
            n += len(X)
        return n

    row(f"cmaes {cmaes.__version__}", call, measure(run))


def pygmo(call):
    import pygmo

    class Problem:
        def fitness(self, x):
            return [scalar(x)]

        def get_bounds(self):
            return ([low for low, _ in BOUNDS], [high for _, high in BOUNDS])

    def run(method, population):
        members = pygmo.population(pygmo.problem(Problem()), population, seed=1)
        pygmo.algorithm(method(gen=BUDGET // population - 1, ftol=0, xtol=0, seed=1)).evolve(members)
        return BUDGET

    row(f"pygmo {pygmo.__version__} de", call, measure(lambda: run(pygmo.de, 100)))
    row(f"pygmo {pygmo.__version__} cmaes", call, measure(lambda: run(pygmo.cmaes, 10)))


def main():
    call = statistics.median(measure(bare))
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; d = {DIM}, {BUDGET:,} evaluations;")
    print(f"a bare call takes {call:.2f} us. Microseconds beyond the objective: the median (the least) of {REPEATS} runs.\n")
    print(f"{'':34}{'scalar':>20}{'vectorised':>20}")
    for method in ("de", "lshade", "pso", "cma_es"):
        ours(method, call)
    ours("auto", statistics.median(measure(lambda: bare(rugged))), rugged, many_rugged)
    for others in (scipy, pycma, cmaes, pygmo):
        try:
            others(call)
        except ImportError:
            print(f"{others.__name__} is not installed")


if __name__ == "__main__":
    main()
