"""Many runs, and what they say about methods."""

import itertools
import math

import numpy as np

from ._minimize import minimize
from ._native import TestFunction


def minimize_many(problems, methods, *, runs=10, bounds=None, rng=0, target=None, **arguments):
    """Minimises each problem with each method, ``runs`` times, and returns a :class:`Comparison`.

    ``problems`` is one objective, a list, or a dict of names; ``methods`` a list of names with settings. Run ``k`` has the seed
    ``rng + k`` with every method. What else is given goes to :func:`minimize`.
    """
    if callable(problems):
        problems = [problems]
    if not isinstance(problems, dict):
        problems = {_name(problem): problem for problem in problems}
    methods = [methods] if isinstance(methods, str) else list(methods)
    if not problems or not methods or int(runs) < 1:
        raise ValueError("problems, methods, runs: at least one of each")
    rows = []
    for (name, fun), method, k in itertools.product(problems.items(), methods, range(int(runs))):
        result = minimize(fun, bounds, method=method, rng=int(rng) + k, target=target, **arguments)
        rows.append({"problem": name, "method": method, "seed": int(rng) + k, "result": result})
    return Comparison(rows, target=target, maximize=bool(arguments.get("maximize")))


def _name(problem):
    if isinstance(problem, TestFunction):
        return f"{problem.name} ({problem.dim})"
    return getattr(problem, "__name__", type(problem).__name__)


def wilson(successes, n, z=1.959963984540054):
    """The 95 % interval of a share, by Wilson's formula."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


class Comparison:
    """Runs of methods on problems: ``rows`` has a dict a run, with ``problem``, ``method``, ``seed`` and ``result``."""

    def __init__(self, rows, *, target=None, maximize=False):
        self.rows, self.target, self.maximize = list(rows), target, maximize

    @property
    def problems(self):
        return list(dict.fromkeys(row["problem"] for row in self.rows))

    @property
    def methods(self):
        return list(dict.fromkeys(row["method"] for row in self.rows))

    def values(self, problem, method):
        """The values that the runs of a method reached, by seed."""
        return np.array([r["result"].fun for r in self.rows if (r["problem"], r["method"]) == (problem, method)])

    def medians(self):
        """The median value of every pair ``(problem, method)``."""
        return {(p, m): float(np.median(self.values(p, m))) for p in self.problems for m in self.methods}

    def success(self):
        """Of every pair the share of runs that reached the target and its 95 % interval; needs ``target``."""
        if self.target is None:
            raise ValueError("target: success is asked for, and no target was given")
        found = {}
        for p, m in itertools.product(self.problems, self.methods):
            values = self.values(p, m)
            hits = int((values >= self.target).sum() if self.maximize else (values <= self.target).sum())
            found[p, m] = (hits / len(values), *wilson(hits, len(values)))
        return found

    def ranks(self):
        """The mean rank of every method over all problems and seeds, 1 the best; equal values share their ranks."""
        totals = {m: [] for m in self.methods}
        for p in self.problems:
            table = np.array([self.values(p, m) for m in self.methods])
            table = -table if self.maximize else table
            table = np.where(np.isnan(table), np.inf, table)
            for column in table.T:
                for m, value in zip(self.methods, column):
                    below, equal = (column < value).sum(), (column == value).sum()
                    totals[m].append(below + (equal + 1) / 2)
        return {m: float(np.mean(values)) for m, values in totals.items()}

    def __repr__(self):
        medians, ranks = self.medians(), self.ranks()
        success = self.success() if self.target is not None else {}
        head = ["problem", "method", "median", *(["success (95 %)"] if success else [])]
        lines = [head]
        for p, m in itertools.product(self.problems, self.methods):
            row = [p, m, f"{medians[p, m]:.6g}"]
            if success:
                share, low, high = success[p, m]
                row.append(f"{share:.2f} ({low:.2f} to {high:.2f})")
            lines.append(row)
        widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
        text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
        return text + "\nmean rank: " + ", ".join(f"{m} {ranks[m]:.2f}" for m in self.methods)

    def _repr_html_(self):
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"

    def plot(self, ax=None):
        """Median convergence curves, a panel a problem: see :func:`swarmgrad.plot.comparison`."""
        from . import plot

        return plot.comparison(self, ax)
