"""Minimise what has no gradient: swarms, evolution strategies and their gradients.

    >>> from swarmgrad import minimize
    >>> result = minimize(lambda x: ((x - 1) ** 2).sum(), [(-5, 5)] * 3, maxfun=2000, rng=1)
    >>> bool(result.fun < 1e-9)
    True
"""

from . import problems
from ._compare import Comparison, minimize_many
from ._engine import Collective
from ._front import hypervolume
from ._gradient import Certificate, certify, gradient, list_gradients
from ._least_squares import least_squares
from ._learn import Lesson, learn
from ._lend import lend, list_losses
from ._methods import list_methods, method_info
from ._minimize import minimize, scipy_method
from ._native import __version__
from ._optimizer import Optimizer
from ._reproduce import Findings, list_experiments, reproduce
from ._result import OptimizeResult
from ._space import Choice, Fixed, Flag, Integer, Log, Ordered, Real, Simplex, Sorted, Space
from ._study import Study

__all__ = [
    "Certificate",
    "Choice",
    "Collective",
    "Comparison",
    "Findings",
    "Fixed",
    "Flag",
    "Integer",
    "Lesson",
    "Log",
    "OptimizeResult",
    "Optimizer",
    "Ordered",
    "Real",
    "Simplex",
    "Sorted",
    "Space",
    "Study",
    "__version__",
    "certify",
    "gradient",
    "hypervolume",
    "learn",
    "least_squares",
    "lend",
    "list_experiments",
    "list_gradients",
    "list_losses",
    "list_methods",
    "method_info",
    "minimize",
    "minimize_many",
    "problems",
    "reproduce",
    "scipy_method",
]
