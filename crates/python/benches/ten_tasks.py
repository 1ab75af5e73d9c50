"""Ten tasks, each done with swarmgrad, SciPy, Optuna, PySwarms and pycma: lines of code, seconds, and what one gets.

    pip install scipy optuna pyswarms cma cloudpickle
    python benches/ten_tasks.py            # prints the table of docs/first-hour.md

Each cell is a function below, written as the package's own documentation would; its lines are counted without its head. It returns what one
has in the end as a text. A package that has no means for a task is left out of its row: what would have to be written by hand then is the
reader's to judge. One process, one seed, as many evaluations for everybody.
"""

import inspect
import logging
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

SIX = [(-5.12, 5.12)] * 6
PACKAGES = ["swarmgrad", "scipy", "optuna", "pyswarms", "cma"]
TASKS = {}


def task(name):
    def keep(function):
        TASKS.setdefault(name, {})[function.__name__.rsplit("_", 1)[1]] = function
        return function

    return keep


# The objectives.


def valley(x):
    return float(sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:])))


def bumps(x):
    return float(sum(t * t - 10 * math.cos(2 * math.pi * t) + 10 for t in x))


def train(lr, layers, act):
    return (math.log10(lr) + 2) ** 2 + abs(layers - 3) + (act != "gelu")


def weight(x):
    return x[0] ** 2 + x[1] ** 2


def noisy(x, draws=random.Random(1)):
    return sum((t - 1) ** 2 for t in x) + draws.gauss(0, 0.1)


def slow(x):
    time.sleep(0.02)
    return sum((t - 1) ** 2 for t in x)


T = np.linspace(0, 4, 30)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.sin(50 * T)


def residuals(b):
    return b[0] * np.exp(-b[1] * T) + b[2] - Y


MODEL = "import json, sys\nfor line in sys.stdin:\n    x = json.loads(line)['x']\n    print((x[0] - 1) ** 2 + (x[1] - 2) ** 2, flush=True)\n"
ONCE = "import sys\nx = [float(t) for t in sys.argv[1:]]\nprint((x[0] - 1) ** 2 + (x[1] - 2) ** 2)\n"


def off(x):
    """How far a point is from (1, 1, ...)."""
    return f"off by {math.dist(x, [1] * len(x)):.0e}"


# 1. A smooth function of ten variables, 5,000 evaluations.

SMOOTH = "smooth, 10 variables, 5,000 evaluations"


@task(SMOOTH)
def smooth_swarmgrad():
    from swarmgrad import minimize
    result = minimize(valley, [(-5, 10)] * 10, maxfun=5000, rng=1)
    return f"{result.fun:.0e}"


@task(SMOOTH)
def smooth_scipy():
    from scipy.optimize import minimize
    result = minimize(valley, np.random.default_rng(1).uniform(-5, 10, 10), method="L-BFGS-B", bounds=[(-5, 10)] * 10)
    return f"{result.fun:.0e}"


@task(SMOOTH)
def smooth_optuna():
    import optuna
    study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=1))
    study.optimize(lambda trial: valley([trial.suggest_float(f"x{i}", -5, 10) for i in range(10)]), n_trials=5000)
    return f"{study.best_value:.0e}"


@task(SMOOTH)
def smooth_pyswarms():
    from pyswarms.single import GlobalBestPSO
    np.random.seed(1)
    swarm = GlobalBestPSO(50, 10, {"c1": 1.5, "c2": 1.5, "w": 0.7}, bounds=([-5] * 10, [10] * 10))
    best, _ = swarm.optimize(lambda X: np.array([valley(x) for x in X]), 100, verbose=False)
    return f"{best:.0e}"


@task(SMOOTH)
def smooth_cma():
    import cma
    x, es = cma.fmin2(valley, [2.5] * 10, 3, {"bounds": [-5, 10], "maxfevals": 5000, "seed": 1, "verbose": -9})
    return f"{es.result.fbest:.0e}"


# 2. Many minima.

MANY = "many minima, 6 variables, 20,000 evaluations"


@task(MANY)
def many_swarmgrad():
    from swarmgrad import minimize
    result = minimize(bumps, SIX, maxfun=20_000, rng=1)
    return f"{result.fun:.0e}; `result.account` says how it was found"


@task(MANY)
def many_scipy():
    from scipy.optimize import dual_annealing
    result = dual_annealing(bumps, SIX, maxfun=20_000, rng=1)
    return f"{result.fun:.0e}"


@task(MANY)
def many_pyswarms():
    from pyswarms.single import GlobalBestPSO
    np.random.seed(1)
    swarm = GlobalBestPSO(50, 6, {"c1": 1.5, "c2": 1.5, "w": 0.7}, bounds=([-5.12] * 6, [5.12] * 6))
    best, _ = swarm.optimize(lambda X: np.array([bumps(x) for x in X]), 400, verbose=False)
    return f"{best:.0e}"


@task(MANY)
def many_cma():
    import cma
    x, es = cma.fmin2(bumps, [2.0] * 6, 2, {"bounds": [-5.12, 5.12], "maxfevals": 20_000, "seed": 1, "verbose": -9}, bipop=True, restarts=9)
    return f"{es.result.fbest:.0e}"


# 3. A program of one's own.

OWN = "a program, 200 evaluations"


@task(OWN)
def own_swarmgrad():
    import swarmgrad
    command = [PROGRAM, "minimize", "--exec", f"{sys.executable} model.py", "--bounds=-5:5,-5:5", "-n", "200", "--json"]
    best = __import__("json").loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return f"{best['fun']:.0e} after {best['nfev']}; kept alive, crashes cost a point, a record to go on from"


@task(OWN)
def own_scipy():
    from scipy.optimize import minimize
    def call(x):
        return float(subprocess.run([sys.executable, "once.py", *map(str, x)], capture_output=True, check=True).stdout)
    result = minimize(call, [0, 0], method="Nelder-Mead", bounds=[(-5, 5)] * 2, options={"maxfev": 200})
    return f"{result.fun:.0e} after {result.nfev}; started once a point"


@task(OWN)
def own_optuna():
    import optuna
    def call(trial):
        x = [str(trial.suggest_float(f"x{i}", -5, 5)) for i in range(2)]
        return float(subprocess.run([sys.executable, "once.py", *x], capture_output=True, check=True).stdout)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    study.optimize(call, n_trials=200)
    return f"{study.best_value:.0e}; started once a point"


# 4. Logarithmic, whole, choice.

MIXED = "log, whole, choice; 60 evaluations"


@task(MIXED)
def mixed_swarmgrad():
    from swarmgrad import Choice, Integer, Log, Space, minimize
    space = Space({"lr": Log(1e-5, 1), "layers": Integer(1, 8), "act": Choice(["relu", "tanh", "gelu"])})
    result = minimize(lambda p: train(**p), space, maxfun=60, rng=1)
    return f"{result.fun:.0e}; `result.x` is a dict"


@task(MIXED)
def mixed_scipy():
    from scipy.optimize import differential_evolution
    acts = ["relu", "tanh", "gelu"]
    call = lambda x: train(10 ** x[0], round(x[1]), acts[round(x[2])])
    result = differential_evolution(call, [(-5, 0), (1, 8), (0, 2)], integrality=[0, 1, 1], popsize=5, maxiter=3, rng=1, polish=False)
    return f"{result.fun:.0e}; decoded by hand"


@task(MIXED)
def mixed_optuna():
    import optuna
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    def call(trial):
        lr, layers = trial.suggest_float("lr", 1e-5, 1, log=True), trial.suggest_int("layers", 1, 8)
        return train(lr, layers, trial.suggest_categorical("act", ["relu", "tanh", "gelu"]))
    study.optimize(call, n_trials=60)
    return f"{study.best_value:.0e}; `study.best_params` is a dict"


# 5. A constraint.

LIMIT = "a constraint, 200 evaluations"


@task(LIMIT)
def limit_swarmgrad():
    from swarmgrad import minimize
    result = minimize(weight, [(-5, 5)] * 2, constraints=["x0 + x1 >= 1"], maxfun=200, rng=1)
    return f"off by {abs(result.fun - 0.5):.0e}, feasible: {result.feasible}; which are active, multipliers"


@task(LIMIT)
def limit_scipy():
    from scipy.optimize import LinearConstraint, minimize
    result = minimize(weight, [3, 3], bounds=[(-5, 5)] * 2, constraints=LinearConstraint([[1, 1]], 1, np.inf))
    return f"off by {abs(result.fun - 0.5):.0e}"


@task(LIMIT)
def limit_optuna():
    import optuna
    sampler = optuna.samplers.TPESampler(seed=1, constraints_func=lambda trial: trial.user_attrs["c"])
    study = optuna.create_study(sampler=sampler)
    def call(trial):
        x = [trial.suggest_float(f"x{i}", -5, 5) for i in range(2)]
        trial.set_user_attr("c", (1 - x[0] - x[1],))
        return weight(x)
    study.optimize(call, n_trials=200)
    best = min(t.value for t in study.trials if t.user_attrs["c"][0] <= 0)
    return f"off by {abs(best - 0.5):.0e}"


@task(LIMIT)
def limit_cma():
    import cma
    function = cma.ConstrainedFitnessAL(weight, lambda x: [1 - x[0] - x[1]])
    x, es = cma.fmin2(function, [3, 3], 1, {"maxfevals": 200, "seed": 1, "verbose": -9}, callback=function.update)
    best = function.best_feas.x
    return f"off by {abs(weight(best) - 0.5):.0e}" if best is not None else "none found"


# 6. Values with errors.

NOISE = "values with errors of .1, 600 evaluations"


@task(NOISE)
def noise_swarmgrad():
    from swarmgrad import minimize
    result = minimize(noisy, [(-5, 5)] * 3, maxfun=600, noisy=True, rng=1)
    return f"{off(result.x)}; the mean of new evaluations with its interval"


@task(NOISE)
def noise_scipy():
    from scipy.optimize import minimize
    result = minimize(noisy, [3, 3, 3], method="COBYQA", bounds=[(-5, 5)] * 3, options={"maxfev": 600})
    return f"{off(result.x)}; the luckiest value"


@task(NOISE)
def noise_optuna():
    import optuna
    study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=1))
    study.optimize(lambda trial: noisy([trial.suggest_float(f"x{i}", -5, 5) for i in range(3)]), n_trials=600)
    return f"{off(list(study.best_params.values()))}; the luckiest value"


@task(NOISE)
def noise_cma():
    import cma
    x, es = cma.fmin2(noisy, [3, 3, 3], 2, {"maxfevals": 600, "seed": 1, "verbose": -9}, noise_handler=cma.NoiseHandler(3))
    return f"{off(es.result.xfavorite)}; the mean of the distribution"


# 7. Four workers.

WORKERS = "four workers, 20 ms a point, 400 evaluations"


@task(WORKERS)
def workers_swarmgrad():
    from swarmgrad import minimize
    result = minimize(slow, [(-5, 5)] * 3, method="cma_es", maxfun=400, rng=1, workers=4)
    return f"{result.fun:.0e}; the same with one worker, to the bit"


@task(WORKERS)
def workers_scipy():
    from scipy.optimize import differential_evolution
    result = differential_evolution(slow, [(-5, 5)] * 3, workers=4, updating="deferred", popsize=8, maxiter=15, rng=1, polish=False)
    return f"{result.fun:.0e}"


@task(WORKERS)
def workers_optuna():
    import optuna
    study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=1))
    study.optimize(lambda trial: slow([trial.suggest_float(f"x{i}", -5, 5) for i in range(3)]), n_trials=400, n_jobs=4)
    return f"{study.best_value:.0e}; another result each time"


@task(WORKERS)
def workers_cma():
    import cma
    es = cma.CMAEvolutionStrategy([3, 3, 3], 2, {"maxfevals": 400, "seed": 1, "verbose": -9})
    with cma.optimization_tools.EvalParallel2(slow, 4) as evaluate:
        while not es.stop():
            es.tell(X := es.ask(), evaluate(X))
    return f"{es.result.fbest:.0e}"


# 8. Going on after a kill.

RESUME = "going on after a kill at 200 of 400"


@task(RESUME)
def resume_swarmgrad():
    from swarmgrad import minimize
    minimize(valley, [(-5, 10)] * 4, method="de", maxfun=200, rng=1, record="run.jsonl")
    result = minimize(valley, resume="run.jsonl", maxfun=400)
    return f"{result.repeated} of {result.nfev} taken from the record, the bits of an unbroken run"


@task(RESUME)
def resume_optuna():
    import optuna
    for _ in range(2):
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("journal.log"))
        study = optuna.create_study(study_name="run", storage=storage, load_if_exists=True)
        study.optimize(lambda trial: valley([trial.suggest_float(f"x{i}", -5, 10) for i in range(4)]), n_trials=200)
    return f"{len(study.trials)} trials, the sampler's state lost"


@task(RESUME)
def resume_cma():
    import cma, pickle
    es = cma.CMAEvolutionStrategy([2.5] * 4, 3, {"bounds": [-5, 10], "maxfevals": 400, "seed": 1, "verbose": -9})
    while not es.stop():
        es.tell(X := es.ask(), [valley(x) for x in X])
        open("es.pickle", "wb").write(es.pickle_dumps())
    es = pickle.loads(open("es.pickle", "rb").read())
    return f"{es.countevals} evaluations, saved by hand after each iteration"


# 9. A fit.

FIT = "a fit of three parameters"


@task(FIT)
def fit_swarmgrad():
    from swarmgrad import least_squares
    fit = least_squares(residuals, [1, 1, 0])
    return f"rate {fit.x[1]:.4f} +- {fit.standard_errors[1]:.4f}, {fit.nfev} evaluations; `print(fit)` has the errors"


@task(FIT)
def fit_scipy():
    from scipy.optimize import least_squares
    fit = least_squares(residuals, [1, 1, 0])
    variance = 2 * fit.cost / (len(fit.fun) - len(fit.x))
    error = np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)) * variance)[1]
    return f"rate {fit.x[1]:.4f} +- {error:.4f}, {fit.nfev} calls and {3 * fit.njev} for differences; errors by hand"


# 10. Which of two methods?

WHICH = "which of two methods, 10 seeds, 2,000 evaluations"


@task(WHICH)
def which_swarmgrad():
    from swarmgrad import minimize_many
    found = minimize_many(valley, ["de", "cma_es"], bounds=[(-5, 10)] * 4, runs=10, maxfun=2000)
    assert "cma_es" in str(found)
    return "medians, intervals, ranks, a plot: `print(found)`"


@task(WHICH)
def which_optuna():
    import optuna
    best = {}
    for sampler in (optuna.samplers.CmaEsSampler, optuna.samplers.RandomSampler):
        for seed in range(10):
            study = optuna.create_study(sampler=sampler(seed=seed))
            study.optimize(lambda trial: valley([trial.suggest_float(f"x{i}", -5, 10) for i in range(4)]), n_trials=2000)
            best.setdefault(sampler, []).append(study.best_value)
    return f"medians by hand: {', '.join(f'{np.median(values):.0e}' for values in best.values())}"


@task(WHICH)
def which_scipy():
    from scipy.optimize import differential_evolution, dual_annealing
    de = [differential_evolution(valley, [(-5, 10)] * 4, popsize=10, maxiter=50, rng=seed).fun for seed in range(10)]
    annealing = [dual_annealing(valley, [(-5, 10)] * 4, maxfun=2000, rng=seed).fun for seed in range(10)]
    return f"medians by hand: {np.median(de):.0e}, {np.median(annealing):.0e}"


def lines(function):
    """Lines of its body: what is neither its head, nor a decorator, nor the text for the table."""
    return len([line for line in inspect.getsource(function).splitlines() if line.strip()]) - 3


def main():
    print("| task | package | lines | seconds | what one has |\n|---|---|---|---|---|")
    for name, cells in TASKS.items():
        for package in PACKAGES:
            if package in cells:
                begin = time.perf_counter()
                seen = cells[package]()
                seconds = time.perf_counter() - begin
                print(f"| {name} | {package} | {lines(cells[package])} | {seconds:.2g} | {seen} |", flush=True)
                name = ""


PROGRAM = os.environ.get("SWARMGRAD_PROGRAM", "swarmgrad")

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    # Imports are not what is timed.
    for package in PACKAGES:
        __import__(package)
    __import__("optuna").logging.set_verbosity(50)
    __import__("scipy.optimize")
    os.chdir(tempfile.mkdtemp())
    open("model.py", "w").write(MODEL)
    open("once.py", "w").write(ONCE)
    main()
