"""The test problems of the library: ``problems.get("rastrigin", 10)``."""

from ._native import TestFunction, problem_names

__all__ = ["TestFunction", "get", "names"]


def get(name, dim=2):
    """The test problem ``name`` in ``dim`` variables.

    Called with a point it gives its value, with an ``(n, dim)`` array the ``n`` values. It has ``name``, ``dim``, ``bounds``,
    ``minimum``, ``minimizers``, ``differentiable``, ``gradient(x)``, and ``constraints`` with ``constraint_values(x)``, which
    :func:`swarmgrad.minimize` keeps to.
    """
    return TestFunction(name, dim)


def names():
    """The names of all test problems."""
    return problem_names()
