"""What an evaluation costs beyond the objective, in microseconds: ours and others', in one process.

    python benches/overhead.py            # scipy, cma, cmaes and pygmo where they are installed; a release build for figures of their own

Each figure is the median of five runs, in brackets the fastest: (CPU time of the run - time of as many bare calls) / evaluations.
"""

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


def row(name, scalar=None, vectorised=None, call=0.0):
    def cell(times, less):
        return f"{statistics.median(times) - less:10.2f} ({min(times) - less:.2f})" if times else ""

    print(f"{name:34}{cell(scalar, call):>20}{cell(vectorised, 0.0):>20}", flush=True)


def bare():
    x = np.ones(DIM)
    for _ in range(BUDGET):
        scalar(x)
    return BUDGET


def ours(method, call):
    def run(fun, vectorized):
        return swarmgrad.minimize(fun, BOUNDS, method=method, maxfun=BUDGET, rng=1, vectorized=vectorized).nfev

    row(f"swarmgrad {method}", measure(lambda: run(scalar, False)), measure(lambda: run(many, True)), call)


def scipy(call):
    import scipy
    from scipy.optimize import differential_evolution

    more = {"popsize": 10, "maxiter": BUDGET // (10 * DIM) - 1, "polish": False, "tol": 0, "seed": 1}
    vector = {**more, "vectorized": True, "updating": "deferred"}

    def rows():
        calls = [0]

        def counted(X):
            calls[0] += X.shape[1]
            return many(X.T)

        differential_evolution(counted, BOUNDS, **vector)
        return calls[0]

    one = measure(lambda: differential_evolution(scalar, BOUNDS, **more).nfev)
    row(f"scipy {scipy.__version__} differential_evolution", one, measure(rows), call)


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

    row(f"pycma {cma.__version__.split()[0]}", measure(run), None, call)


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

    row(f"cmaes {cmaes.__version__}", measure(run), None, call)


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

    row(f"pygmo {pygmo.__version__} de", measure(lambda: run(pygmo.de, 100)), None, call)
    row(f"pygmo {pygmo.__version__} cmaes", measure(lambda: run(pygmo.cmaes, 10)), None, call)


def main():
    call = statistics.median(measure(bare))
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; d = {DIM}, {BUDGET:,} evaluations;")
    print(f"a bare call takes {call:.2f} us. Microseconds beyond the objective: the median (the least) of {REPEATS} runs.\n")
    print(f"{'':34}{'scalar':>20}{'vectorised':>20}")
    for method in ("de", "lshade", "pso", "auto", "cma_es"):
        ours(method, call)
    for others in (scipy, pycma, cmaes, pygmo):
        try:
            others(call)
        except ImportError:
            print(f"{others.__name__} is not installed")


if __name__ == "__main__":
    main()
