"""What an evaluation costs beyond the objective, in microseconds: ours and others', in one process.

    python benches/overhead.py            # needs scipy and cma for the others; a release build for figures of their own, any build for ratios

Each figure is the least of five runs: (time of the run - time of as many bare calls) / evaluations.
"""

import time

import numpy as np

import swarmgrad

DIM, BUDGET, REPEATS = 10, 10_000, 5
BOUNDS = [(-5.0, 5.0)] * DIM


def scalar(x):
    return float(x @ x)


def many(X):
    return np.einsum("ij,ij->i", X, X)


def least(run):
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.perf_counter()
        evaluations = run()
        best = min(best, (time.perf_counter() - begin) / evaluations)
    return 1e6 * best


def bare():
    x = np.ones(DIM)
    for _ in range(BUDGET):
        scalar(x)
    return BUDGET


def main():
    call = least(bare)
    print(f"d = {DIM}, {BUDGET:,} evaluations; a bare call takes {call:.2f} us\n")
    print(f"{'':34}{'scalar':>10}{'vectorised':>12}   us beyond the objective")
    for method in ("de", "lshade", "pso", "auto", "cma_es"):

        def run(fun, vectorized, method=method):
            return swarmgrad.minimize(fun, BOUNDS, method=method, maxfun=BUDGET, rng=1, vectorized=vectorized).nfev

        one, rows = least(lambda: run(scalar, False)) - call, least(lambda: run(many, True))
        print(f"{'swarmgrad ' + method:34}{one:10.2f}{rows:12.2f}")
    try:
        from scipy.optimize import differential_evolution
    except ImportError:
        print("scipy is not installed")
    else:
        more = {"popsize": 10, "maxiter": BUDGET // (10 * DIM) - 1, "polish": False, "tol": 0, "seed": 1}
        one = least(lambda: differential_evolution(scalar, BOUNDS, **more).nfev) - call
        vector = {**more, "vectorized": True, "updating": "deferred"}

        def rows():
            calls = [0]

            def counted(X):
                calls[0] += X.shape[1]
                return many(X.T)

            differential_evolution(counted, BOUNDS, **vector)
            return calls[0]

        print(f"{'scipy differential_evolution':34}{one:10.2f}{least(rows):12.2f}")
    try:
        import cma
    except ImportError:
        print("cma is not installed")
    else:

        def pycma():
            es = cma.CMAEvolutionStrategy(DIM * [1.0], 1.0, {"verbose": -9, "seed": 1, "maxfevals": 5000, "tolfun": 0, "tolx": 0})
            n = 0
            while n < 5000:
                X = es.ask()
                es.tell(X, [scalar(x) for x in X])
                n += len(X)
            return n

        print(f"{'pycma':34}{least(pycma) - call:10.2f}{'':>12}")


if __name__ == "__main__":
    main()
