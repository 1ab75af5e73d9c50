"""Fits: sums of squares of residuals, under the names of ``scipy.optimize.least_squares``."""

import numpy as np

from ._minimize import minimize
from ._space import number


def least_squares(fun, x0=None, bounds=None, args=(), kwargs=None, *, method=None, loss="linear", f_scale=1.0, max_nfev=None, **more):
    """Minimise the sum of the squares of the residuals that ``fun(x, *args, **kwargs)`` returns.

    Parameters
    ----------
    fun : callable
        Returns the residuals, an array as long at every point.
    x0 : point
        Where the fit begins. Without it ``bounds`` are needed, and the fit begins at points in them.
    bounds : ``(lower, upper)`` of numbers or arrays, ``scipy.optimize.Bounds``, or what :func:`minimize` takes
        None where there are none.
    method : str
        ``"least_squares"`` where ``x0`` is given: one descent of Levenberg and Marquardt's method. ``"auto"`` where it is not: descents
        from new points until nothing more is to be expected. Or another one of :func:`list_methods`.
    loss : ``"linear"``, ``"soft_l1"``, ``"huber"``, ``"cauchy"``, ``"arctan"``
        ``f_scale`` is the size from which a residual is an outlier.
    max_nfev : int
        Most evaluations; those for derivatives count.
    more : arguments of :func:`minimize`
        ``workers``, ``record``, ``rng``, ...

    Returns
    -------
    OptimizeResult with ``x``, ``cost`` (half the sum of the losses), ``fun`` (the residuals at ``x``), ``standard_errors``,
    ``covariance`` and ``correlation`` of the variables (None where there are no more residuals than variables), ``nfev``.

    >>> import numpy as np
    >>> from swarmgrad import least_squares
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([1.0, 2.7, 5.8, 6.6])
    >>> fit = least_squares(lambda b: b[0] + b[1] * t - y, [0.0, 0.0])
    >>> np.round(fit.x, 6).tolist(), round(fit.cost, 6)
    ([1.04, 1.99], 0.721)
    """
    if kwargs:
        plain, fixed = fun, dict(kwargs)

        def fun(x, *args):
            return plain(x, *args, **fixed)

    if loss != "linear":
        more["loss"] = f"{loss}:{float(f_scale)!r}"
    elif f_scale != 1.0:
        raise ValueError("f_scale: has no meaning for the linear loss")
    if isinstance(bounds, tuple) and len(bounds) == 2 and x0 is not None:
        n = len(np.atleast_1d(np.asarray(x0, dtype=float)))
        lower, upper = (np.broadcast_to(np.asarray(end, dtype=float), (n,)) for end in bounds)
        bounds = list(zip(lower.tolist(), upper.tolist()))
    if method is None:
        method = "auto" if x0 is None else "least_squares"
    result = minimize(fun, bounds, args, method=method, x0=x0, residuals=True, maxfun=max_nfev, **more)
    result["cost"] = 0.5 * number(result["fun"])
    # Those of a loss are not the objective's own.
    args = args if isinstance(args, tuple) else (args,)
    result["fun"] = result["residuals"] if loss == "linear" else np.asarray(fun(result["x"], *args), dtype=float)
    return result
