"""``minimize`` and what it shares with ``Optimizer``: a study from arguments, a result from a report."""

import inspect
import json
import os
import secrets
import sys
import time
import warnings
from collections.abc import Mapping

import numpy as np

from . import _engine, _native
from ._constraints import Constraints, Own, _list
from ._result import OptimizeResult
from ._space import Space, bounds_text, number, read_bounds

#: Evaluations a variable where nothing limits a run.
DEFAULT_BUDGET = 10_000


def minimize(
    fun,
    bounds=None,
    args=(),
    *,
    method="auto",
    x0=None,
    jac=None,
    constraints=(),
    constraint_tolerance=None,
    residuals=False,
    loss=None,
    objectives=None,
    maxfun=None,
    maxiter=None,
    target=None,
    time_limit=None,
    patience=None,
    tolerance=None,
    workers=1,
    vectorized=False,
    quorum=1.0,
    eval_timeout=None,
    on_error="raise",
    callback=None,
    record=None,
    resume=None,
    overwrite=False,
    progress=False,
    noisy=False,
    maximize=False,
    outside=None,
    uncertainty=None,
    rng=None,
    seed=None,
    options=None,
):
    """Minimise ``fun`` and return an :class:`OptimizeResult`.

    Parameters
    ----------
    fun : callable ``fun(x, *args) -> float``, or a problem of :func:`swarmgrad.problems.get`
        Gets an array, or a dict where ``bounds`` is a :class:`Space`. NaN and infinities count as failed points.
    bounds : pairs, ``scipy.optimize.Bounds``, :class:`Space` or a dict of variables
        May be left out where ``x0`` is given (no bounds) and for test problems (their own).
    method : str
        A name of :func:`list_methods`, with settings if you like: ``"pso(particles=40)"``.
    x0 : a point, points one a row, dicts, or the path of a record, whose values are not evaluated again
    jac : callable or True
        The gradient, or that ``fun`` returns value and gradient. Used by the methods that take gradients.
    constraints : texts, dicts with ``type`` and ``fun``, ``LinearConstraint``, ``NonlinearConstraint``, or a list of them
        Texts are over ``x0``, ``x1``, ... or the names of the space: ``"x0 + x1 <= 1"``. A feasible point is always better than
        one that is not; ``constraint_tolerance`` is 1e-6, and 1e-4 for equations, where nothing is said.
    residuals : bool
        ``fun`` returns residuals, an array as long at every point: the value is the sum of their squares, or of a ``loss`` of them,
        ``"huber:0.5"``, ``"soft_l1"``, ``"cauchy"``, ``"arctan"``. See :func:`least_squares`.
    objectives : int or list of names
        ``fun`` returns so many values, all to be minimised. The result has the ``front``: its points ``x`` and their objectives ``f``,
        one a row, with its ``hypervolume`` up to ``reference_point``.
    maxfun, maxiter, target, time_limit, patience, tolerance
        Ends after so many evaluations or iterations, at a value this good, after so many seconds, after so many evaluations
        without improvement. One counts when it is more than this share of the best value; ``tolerance`` alone means a patience of
        100 (d + 5). 10,000 evaluations a variable where none of the first two and ``time_limit`` is given.
    workers : int, map-like callable, Executor, ``multiprocessing.Pool``, ``joblib.Parallel``, ``distributed.Client``, ...
        Where the points of a round are evaluated; -1 is a process a core. The result is the same to the bit.
    vectorized : bool
        ``fun`` gets all points of a round as an ``(n, d)`` array, and returns ``n`` values (SciPy's is the transpose).
    quorum : float
        Goes on when this share of a round is there; the rest may come later.
    eval_timeout : float
        Seconds after which a point is given up; with ``workers`` above 1.
    on_error : "raise" or "skip"
        What the objective raises ends the run, or counts as a failed point.
    callback : callable ``callback(x)`` or ``callback(intermediate_result)``
        After each round. True, or ``StopIteration``, ends the run.
    record, resume : path
        Every evaluation is written down before it is used; the same call again continues. ``resume`` takes the study from the
        file, with what else is given here.
    noisy : bool
        Two evaluations of a point differ: the best are evaluated anew in the end.
    uncertainty : True, "likelihood" or "squares:N"
        The result has ``uncertainty``: ``standard_errors`` of the variables, from a quadratic through evaluated points around the best
        one, which is an estimate. True takes the value for a -log likelihood, or for the sum of squares of ``residuals``.
    rng : int, ``numpy.random.Generator`` or None
        Equal seeds give equal results. ``seed`` is another name.
    options : dict
        Parameters of the method, see :func:`method_info`.

    A ``KeyboardInterrupt``, and what the objective raises, have the result so far as ``exception.result``.
    """
    seed = _seed(rng, seed)
    native = isinstance(fun, _native.TestFunction)
    # A test problem is run without Python where nothing of Python's takes part.
    plain = native and not args and not vectorized and jac in (None, True) and isinstance(workers, int) and eval_timeout is None
    plain = plain and all(isinstance(constraint, str) for constraint in _list(constraints))
    engine = _engine.of(workers, eval_timeout)
    if isinstance(engine, _engine.Ranks):
        seed = workers.agree(seed)
        record, resume = engine.files(record, resume, overwrite)
    study, space, limits = _study(
        fun,
        bounds,
        plain=plain,
        method=method,
        x0=x0,
        constraints=constraints,
        constraint_tolerance=constraint_tolerance,
        residuals=residuals,
        loss=loss,
        objectives=objectives,
        maxfun=maxfun,
        maxiter=maxiter,
        target=target,
        time_limit=time_limit,
        patience=patience,
        tolerance=tolerance,
        quorum=quorum,
        noisy=noisy,
        maximize=maximize,
        outside=outside,
        seed=seed,
        options=options,
        resume=resume,
    )
    if native and "problem" in study and fun.constraints:
        limits = Own(fun)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error = {on_error!r}: must be 'raise' or 'skip'")
    if resume is not None:
        if record is not None and os.fspath(record) != os.fspath(resume):
            raise ValueError("record: a run that is resumed is recorded where it was; leave record out")
        record = resume
    args = args if isinstance(args, tuple) else (args,)
    shown = _Progress(study) if progress else None
    tell = _told(callback, shown, space)
    if isinstance(engine, _engine.Ranks):
        engine.limit = study.pop("time", None)
    meaning = {None: None, False: None, True: ""}.get(uncertainty, uncertainty)

    if plain and "problem" in study:
        threads = 1 if engine is None else max(workers, 0)
        report, curve, raised = _native.run(json.dumps(study), record, overwrite, threads, tell, meaning)
        result = _result(report, curve, space)
        if shown:
            shown.close()
        if raised is not None:
            _attach(raised, result)
            raise raised
        return result

    if native and jac is None and method_takes_formula(study) and fun.differentiable:
        jac = fun.gradient
    objects = space.objects() if space is not None else []
    driver = _native.Driver(json.dumps(study), objects, record, overwrite, bool(jac), meaning)
    unknown = [name for name in driver.answered if name not in limits.names]
    if unknown:
        raise ValueError(f"constraints: unknown name {unknown[0]!r}")
    if jac and not driver.takes_gradients:
        if not native:
            warnings.warn(f"method {study['method']} does not use gradient information (jac)", RuntimeWarning, stacklevel=2)
        if jac is True:
            fun, jac = _First(fun), None
    try:
        if engine is None or driver.ended is not None:
            call = _Columns(fun, space) if vectorized and space is not None else fun
            driver.drive(call, args, bool(vectorized), jac or None, limits or None, on_error == "skip", tell)
        else:
            if vectorized:
                raise ValueError("vectorized: a vectorised objective gets whole rounds; leave workers at 1")
            engine.drive(driver, fun, args, jac or None, limits or None, on_error == "skip", tell)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            driver.stop("interrupted")
        _attach(error, _result(driver.report(), driver.curve(), space))
        raise
    finally:
        if engine is not None:
            engine.close()
        if shown:
            shown.close()
    return _result(driver.report(), driver.curve(), space)


def scipy_method(fun, x0, args=(), *, bounds=None, jac=None, callback=None, constraints=(), tol=None, method="auto", **options):
    """All methods as a method of SciPy: ``scipy.optimize.minimize(fun, x0, method=swarmgrad.scipy_method, bounds=bounds,
    options={"method": "cma_es", "maxfun": 5000})``. Options are the arguments of :func:`minimize`."""
    for name in ("hess", "hessp"):
        options.pop(name, None)
    named = inspect.signature(minimize).parameters
    unknown = sorted(set(options) - set(named))
    if unknown:
        raise TypeError(f"option {unknown[0]!r}: no argument of swarmgrad.minimize")
    if tol is not None:
        options.setdefault("tolerance", tol)
    return minimize(
        fun,
        bounds,
        args,
        x0=np.atleast_1d(x0),
        jac=jac if callable(jac) or jac is True else None,
        callback=callback,
        constraints=constraints,
        method=method,
        **options,
    )


def method_takes_formula(study):
    """Whether the program would take the formula of a test problem: for the differentiable methods."""
    return study["method"].startswith("diff_") and not study.get("noisy")


def _positive(name, value, zero=False):
    value = float(value)
    if not (value > 0 or zero and value == 0):
        raise ValueError(f"{name} = {value!r}: must be a number above 0" + (" or 0" if zero else ""))
    return value


def _whole(name, value):
    if float(value) != int(value) or value < 1:
        raise ValueError(f"{name} = {value!r}: must be a whole number, at least 1")
    return int(value)


def _seed(rng, seed):
    if rng is not None and seed is not None:
        raise ValueError("rng and seed are two names of one thing; give one of them")
    rng = seed if rng is None else rng
    if rng is None:
        return secrets.randbelow(2**53)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**53))
    if isinstance(rng, np.random.RandomState):
        return int(rng.randint(2**31 - 1))
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and 0 <= rng < 2**63:
        return int(rng)
    raise ValueError(f"rng = {rng!r}: must be a whole number from 0 to 2**63 - 1, a numpy.random.Generator or None")


def _study(fun, bounds, *, plain=False, method, x0, constraints, constraint_tolerance, residuals=False, loss=None,
           objectives=None, maxfun, maxiter, target, time_limit, patience, tolerance, quorum, noisy, maximize, outside, seed, options, resume=None):
    """The study of the arguments, as a dict; the space where it has names; the constraints. A ``plain`` one names its problem."""
    native = isinstance(fun, _native.TestFunction)
    study, space = {}, None
    if resume is not None:
        study = json.loads(_native.journal_study(resume))
        if bounds is not None and not isinstance(bounds, Mapping):
            raise ValueError("bounds: the file of resume= has them; leave them out")
        if study.get("variables"):
            space = _same_space(bounds, study)
        if maxfun is not None:
            study["planned"] = study.get("planned") or study.get("evaluations")
            study["evaluations"] = _whole("maxfun", maxfun)
    else:
        study["method"] = method
        if plain:
            study.update(problem=fun.name, dim=fun.dim)
        else:
            study["program"] = {"command": "", "function": _name(fun)}
        if native and "problem" not in study and bounds is None:
            bounds = fun.bounds
        space = _add_bounds(study, bounds, x0)
        if x0 is not None:
            _add_points(study, x0, space, maximize)
        if constraint_tolerance is not None:
            study["constraint_tolerance"] = float(constraint_tolerance)
        if residuals:
            study["residuals"] = True
        if loss is not None:
            study["loss"] = str(loss)
        if objectives is not None:
            names = range(1, objectives + 1) if isinstance(objectives, int) else objectives
            study["objectives"] = [f"f{name}" if isinstance(name, int) else str(name) for name in names]
        study["seed"] = seed
        if options:
            study["set"] = {str(key): _json(value) for key, value in options.items()}
        if noisy:
            study["noisy"] = True
        if maximize:
            study["maximize"] = True
        if outside is not None:
            study["outside"] = str(outside)
        if float(quorum) != 1.0:
            study["quorum"] = float(quorum)
        if maxfun is not None:
            study["evaluations"] = _whole("maxfun", maxfun)
        elif maxiter is None and time_limit is None:
            study["evaluations"] = DEFAULT_BUDGET * (space.dim if space is not None else study["dim"])
    if maxiter is not None:
        study["iterations"] = _whole("maxiter", maxiter)
    if target is not None:
        study["target"] = _finite(float(target))
    if time_limit is not None:
        study["time"] = _positive("time_limit", time_limit, zero=True)
    if patience is not None:
        study["patience"] = _whole("patience", patience)
    if tolerance is not None:
        study["tolerance"] = _finite(float(tolerance))
    given = _list(constraints)
    if native and "problem" not in study and fun.constraints:
        given = [Own(fun), *given]
    limits = Constraints(given, space or (), lambda: _probe(study, space))
    if resume is None and limits.texts:
        study["constraints"] = limits.texts
    elif resume is not None and limits.texts != study.get("constraints", []) and "problem" not in study:
        raise ValueError("constraints: the file holds a run with " + (", ".join(study.get("constraints", [])) or "none"))
    return study, space, limits


def _probe(study, space):
    """A point of the space, for functions of constraints to be asked how many values they have."""
    if study.get("x0"):
        x = study["x0"][0]
    elif space is not None:
        x = [0.5] * space.dim
    else:
        pairs = [[float(end) for end in pair.rsplit("=", 1)[-1].split(":")] for pair in study["bounds"].split(",")]
        pairs = pairs * study["dim"] if len(pairs) == 1 else pairs
        x = [min(max(0.0, low), high) for low, high in pairs]
    return space.decode(x) if space is not None else np.array(x, dtype=float)


def _same_space(bounds, study):
    """The space of a record. Where it is given again, its choices have the objects that it is given with."""
    if isinstance(bounds, Mapping):
        space = bounds if isinstance(bounds, Space) else Space(bounds)
        if space.texts != study["variables"]:
            raise ValueError(f"bounds: the file holds other variables: {', '.join(study['variables'])}")
        return space
    return _space_of_texts(study["variables"])


def _space_of_texts(texts):
    from ._space import Choice, Fixed, Flag, Integer, Log, Ordered, Real, Simplex, Sorted

    variables = {}
    for text in texts:
        name, rest = text.split("=", 1)
        kind, _, tail = rest.partition(":")
        pair = [part for part in tail.split(":")]
        if kind == "log":
            variables[name] = Log(*pair)
        elif kind == "int":
            variables[name] = Integer(*map(int, pair))
        elif kind in ("choice", "ordered"):
            variables[name] = (Choice if kind == "choice" else Ordered)(tail.split(","))
        elif kind == "flag":
            variables[name] = Flag()
        elif kind == "simplex":
            variables[name] = Simplex(tail)
        elif kind == "sorted":
            variables[name] = Sorted(*pair)
        elif kind == "fixed":
            variables[name] = Fixed(_value_of(tail))
        else:
            variables[name] = Real(*rest.split(":"))
    return Space(variables)


def _value_of(text):
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            pass
    return text


def _add_bounds(study, bounds, x0):
    if isinstance(bounds, Mapping):
        space = bounds if isinstance(bounds, Space) else Space(bounds)
        study["variables"] = space.texts
        study.pop("dim", None)
        return space
    if bounds is not None:
        lower, upper = read_bounds(bounds)
        study["bounds"], study["dim"] = bounds_text(lower, upper)
    elif "problem" not in study:
        if x0 is None or isinstance(x0, (str, os.PathLike)):
            raise ValueError("bounds: needed, a pair (lower, upper) for each variable; or x0 for a run without bounds")
        study["bounds"], study["dim"] = "-inf:inf", int(np.atleast_2d(np.asarray(x0, dtype=float)).shape[1])
    return None


def _add_points(study, x0, space, maximize):
    if isinstance(x0, (str, os.PathLike)):
        points, values = _native.known_points(x0, bool(maximize))
        study["x0"] = points
        if values:
            study["y0"] = values
    elif space is not None:
        study["x0"] = space.encode([x0] if isinstance(x0, Mapping) or not _is_nested(x0) else x0)
    else:
        points = np.atleast_2d(np.asarray(x0, dtype=float))
        if points.ndim != 2 or points.shape[1] != study["dim"]:
            raise ValueError(f"x0 has shape {np.shape(x0)}, expected ({study['dim']},) or (n, {study['dim']})")
        study["x0"] = points.tolist()


def _is_nested(x0):
    return len(x0) > 0 and isinstance(x0[0], (Mapping, list, tuple, np.ndarray))


def _name(fun):
    inner = fun
    while hasattr(inner, "func"):
        inner = inner.func
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{getattr(inner, '__module__', None) or '?'}.{name}"


def _json(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value


def _finite(value):
    if value != value:
        return "nan"
    return value if abs(value) != float("inf") else ("inf" if value > 0 else "-inf")


def _told(callback, shown, space):
    """The callback of a run ``(x, fun, nfev, nit) -> bool``, None where nobody listens."""
    if callback is None and shown is None:
        return None
    whole = False
    if callback is not None:
        try:
            whole = "intermediate_result" in inspect.signature(callback).parameters
        except (TypeError, ValueError):
            pass

    def told(x, fun, nfev, nit):
        if shown is not None:
            shown.show(fun, nfev)
        if callback is None:
            return False
        x = space.decode(x) if space is not None else x
        try:
            if whole:
                return callback(intermediate_result=OptimizeResult(x=x, fun=fun, nfev=nfev, nit=nit))
            return callback(x)
        except StopIteration:
            return True

    return told


class _Progress:
    """A line in the terminal or the notebook, ten times a second at most."""

    def __init__(self, study):
        self.budget, self.last, self.drawn = study.get("evaluations"), 0.0, False

    def show(self, fun, nfev):
        now = time.monotonic()
        if now - self.last < 0.1:
            return
        self.last, self.drawn = now, True
        text = f"{nfev:,} evaluations, best {fun:.6g}"
        if self.budget:
            done = min(nfev / self.budget, 1.0)
            text = f"[{'#' * int(20 * done):<20}] {text}"
        print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)

    def close(self):
        if self.drawn:
            print(file=sys.stderr)


class _First:
    """The value of an objective that returns value and gradient."""

    def __init__(self, fun):
        self.fun = fun

    def __call__(self, x, *args):
        return self.fun(x, *args)[0]


class _Columns:
    """A vectorised objective of typed points: it gets a dict of arrays, a row a point."""

    def __init__(self, fun, space):
        self.fun, self.space = fun, space

    def __call__(self, points, *args):
        columns = {}
        for name in self.space:
            values = [point[name] for point in points]
            if isinstance(values[0], (bool, int, float, np.ndarray)):
                columns[name] = np.array(values)
            else:
                columns[name] = np.empty(len(values), dtype=object)
                columns[name][:] = values
        return self.fun(columns, *args)


def _attach(error, result):
    try:
        error.result = result
    except (AttributeError, TypeError):
        pass


def _result(report, curve, space):
    """The result of a report, which is JSON."""
    report = json.loads(report)
    result = OptimizeResult(report)

    def point(values):
        return space.named(values) if space is not None else np.array([number(t) for t in values])

    for name in ("x", "answer"):
        result[name] = point(report[name])
    for name in ("fun", "minimum"):
        result[name] = number(report[name])
    result["njev"] = report["ngev"]
    if "residuals" in report:
        for name in ("residuals", "standard_errors", "covariance", "correlation"):
            values = report[name]
            if values is not None:
                nested = bool(values) and isinstance(values[0], list)
                result[name] = np.array([[number(t) for t in row] if nested else number(row) for row in values])
    if "constraints" in report:
        result["violation"] = number(report["violation"])
        result["constraints"] = {name: number(value) for name, value in report["constraints"].items()}
    if "uncertainty" in report:
        found = OptimizeResult(report["uncertainty"])
        if "standard_errors" in found:
            errors = [np.nan if error is None else number(error) for error in found.standard_errors]
            found["standard_errors"] = space.named(errors) if space is not None else np.array(errors)
        result["uncertainty"] = found
    if report.get("noise"):
        result["noise"] = {key: number(value) for key, value in report["noise"].items()}
    if (report.get("several") or {}).get("kind") == "front":
        front = result.pop("several")
        at = [point(p["x"]) for p in front["points"]]
        f = np.array([[number(t) for t in p["f"]] for p in front["points"]]).reshape(-1, len(front["objectives"]))
        result["front"] = OptimizeResult(x=at if space is not None else np.array(at), f=f)
        result["objectives"] = front["objectives"]
        result["hypervolume"] = number(front["hypervolume"])
        result["reference_point"] = np.array([number(t) for t in front["reference_point"]])
    elif report.get("several"):
        points = report["several"]["points"]
        result["several"] = dict(
            report["several"], points=[dict(p, x=point(p["x"]), fun=number(p["fun"])) for p in points]
        )
    result["history"] = history(curve, report["nfev"])
    return result


def history(curve, end):
    """The course of the best value."""
    return {
        "nfev": np.array([n for n, _ in curve], dtype=np.int64),
        "fun": np.array([value for _, value in curve], dtype=float),
        "end": int(end),
    }
