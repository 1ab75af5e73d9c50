"""Constraints in the forms that people have: texts, SciPy's dicts and objects, a test problem's own."""

import math

import numpy as np


class Constraints:
    """``texts`` is what a study holds; calling it with a point gives the values of the names in them that are functions'."""

    def __init__(self, constraints, names=(), probe=None):
        self.texts, self._functions, self.names = [], [], []
        self._taken, self._probe = set(names), probe
        for constraint in _list(constraints):
            self._add(constraint)
        # It goes to other processes.
        self._probe = None

    def _add(self, constraint):
        if isinstance(constraint, str):
            self.texts.append(constraint)
        elif isinstance(constraint, dict):
            kind, fun = constraint.get("type"), constraint.get("fun")
            if kind not in ("ineq", "eq") or not callable(fun):
                raise ValueError(f"constraints: {constraint!r}: must have type 'ineq' (values at least 0) or 'eq', and fun")
            self._function(_With(fun, tuple(constraint.get("args", ()))), 0.0, 0.0 if kind == "eq" else math.inf)
        elif hasattr(constraint, "A") and hasattr(constraint, "lb"):
            matrix = np.atleast_2d(constraint.A.toarray() if hasattr(constraint.A, "toarray") else constraint.A)
            self._function(matrix.dot, constraint.lb, constraint.ub, len(matrix))
        elif hasattr(constraint, "fun") and hasattr(constraint, "lb"):
            self._function(constraint.fun, constraint.lb, constraint.ub)
        else:
            raise ValueError(
                f"constraints: {constraint!r}: must be a text such as 'x0 + x1 <= 1', a dict with type and fun, or SciPy's "
                "LinearConstraint or NonlinearConstraint"
            )

    def _function(self, fun, lower, upper, count=None):
        if count is None:
            count = max(np.size(lower), np.size(upper))
            if count == 1:
                # Bounds may be scalars for a function of many values.
                count = np.size(fun(self._probe())) if self._probe is not None else 1
        lower = np.broadcast_to(np.asarray(lower, dtype=float).ravel(), count)
        upper = np.broadcast_to(np.asarray(upper, dtype=float).ravel(), count)
        kept = []
        for k, (low, high) in enumerate(zip(lower.tolist(), upper.tolist())):
            if low == -math.inf and high == math.inf:
                continue
            if not low <= high:
                raise ValueError(f"constraints: lower bound {low} is above the upper bound {high}")
            name = self._name()
            kept.append(k)
            self.names.append(name)
            if low == high:
                self.texts.append(f"{name} = {low!r}")
                continue
            if low > -math.inf:
                self.texts.append(f"{name} >= {low!r}")
            if high < math.inf:
                self.texts.append(f"{name} <= {high!r}")
        if kept:
            self._functions.append((fun, count, kept))

    def _name(self):
        k = len(self.names)
        while f"c{k}" in self._taken:
            k += 1
        self._taken.add(f"c{k}")
        return f"c{k}"

    def __bool__(self):
        return bool(self._functions)

    def __call__(self, x):
        values = []
        for fun, count, kept in self._functions:
            found = np.asarray(fun(x), dtype=float).ravel()
            if found.size != count:
                raise ValueError(f"a constraint returned {found.size} values, expected {count}")
            values.extend(found[kept].tolist())
        return values


class _With:
    """A function with more arguments."""

    def __init__(self, fun, args):
        self.fun, self.args = fun, args

    def __call__(self, x):
        return self.fun(x, *self.args)


class Own:
    """The constraints of a test problem, as SciPy's object; called for their values."""

    names = ()

    def __init__(self, problem):
        self.fun = problem.constraint_values
        self.lb = [0.0 if equal else -math.inf for _, equal in problem.constraints]
        self.ub = [0.0] * len(self.lb)

    def __call__(self, x):
        return self.fun(x)


def _list(constraints):
    if constraints is None:
        return []
    if isinstance(constraints, (str, dict)) or hasattr(constraints, "lb"):
        return [constraints]
    return list(constraints)
