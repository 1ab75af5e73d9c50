"""Learning the numbers of a method over the course of a run."""

import json
import os

from . import _native
from ._minimize import _name, _seed, _whole
from ._space import read_bounds


def learn(method, problems, *, dim=10, bounds=None, minimum=None, maxfun=None, rotated=False, numbers=None, knots=5, steps=100,
          pairs=8, windows=1, options=None, workers=1, vectorized=False, record=None, rng=0):
    """Learns the numbers of a differentiable method, as a schedule over the budget of a run, and returns a :class:`Lesson`.

    Parameters
    ----------
    method : str
        A method whose name begins with ``diff_``, with settings if you like: ``"diff_pso(particles=20)"``.
    problems : a name, a list of names, or a callable
        Test functions, shifted anew for each run, in ``dim`` variables (a number or a list). Or an objective of your own, which is
        learned on as it is: it needs ``bounds``, and in ``minimum`` the value that it cannot fall below, such as 0 for a loss.
    maxfun : int
        Evaluations of every run; 200 a variable where nothing is said. What is learned belongs to this budget.
    rotated : bool
        The functions are rotated too.
    numbers : list of names
        Which numbers of the method to learn; all that have bounds where nothing is said.
    knots, steps, pairs, windows : int
        Knots of the schedule, 1 for constant numbers; steps of the learning; mirrored pairs of runs on every problem in a step;
        windows of a run, at the beginning of which perturbations are drawn anew.
    workers : int
        Threads, for test functions; 0 for one a core. An objective of Python's is called from one thread.
    vectorized : bool
        The objective gets points one a row.
    record : path
        The learning is kept there, and the same call goes on from it after a kill.

    The result depends on ``rng`` alone, not on ``workers``.

    >>> lesson = learn("diff_pso", "sphere", dim=2, maxfun=100, steps=2, pairs=1)
    >>> result = minimize(fun, bounds, method="diff_pso", options={"schedule": lesson.schedule})        # doctest: +SKIP
    """
    fun = problems if callable(problems) else None
    plan = {"method": str(method), "rotated": bool(rotated), "knots": _whole("knots", knots), "steps": _whole("steps", steps),
            "pairs": _whole("pairs", pairs), "windows": _whole("windows", windows), "seed": _seed(rng, None),
            "set": dict(options or {})}
    if numbers is not None:
        plan["numbers"] = [numbers] if isinstance(numbers, str) else list(numbers)
    if maxfun is not None:
        plan["evaluations"] = _whole("maxfun", maxfun)
    if fun is None:
        if bounds is not None or minimum is not None:
            raise ValueError("bounds, minimum: are for an objective of your own; test functions have theirs")
        plan["problems"] = [problems] if isinstance(problems, str) else [str(name) for name in problems]
        plan["dims"] = [_whole("dim", d) for d in ([dim] if isinstance(dim, int) else dim)]
        own = None
    else:
        if bounds is None:
            raise ValueError("bounds: needed for an objective of your own, a pair (lower, upper) for each variable")
        if minimum is None:
            raise ValueError("minimum: needed for an objective of your own, the value that it cannot fall below, such as 0 for a loss")
        if rotated:
            raise ValueError("rotated: an objective of your own is learned on as it is")
        plan["minimum"] = float(minimum)
        lower, upper = read_bounds(bounds)
        own = (fun, _name(fun), lower, upper, bool(vectorized) or isinstance(fun, _native.TestFunction))
    schedule, gain, table = _native.learn(json.dumps(plan), own, record, int(workers))
    return Lesson(json.loads(schedule), gain, table)


class Lesson:
    """What was learned: the ``schedule``, which the option ``schedule`` of the method takes, and the ``gain`` over the default
    numbers in runs that were not learned from, in deviations between runs."""

    def __init__(self, schedule, gain, table):
        self.schedule, self.gain, self._table = schedule, gain, table

    def save(self, path):
        """Writes the schedule to a file, which the option ``schedule`` takes too, and the program's ``--schedule``."""
        _native.write_whole(os.fspath(path), json.dumps(self.schedule, indent=2) + "\n")

    def __repr__(self):
        return self._table.rstrip("\n")

    def _repr_html_(self):
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"
