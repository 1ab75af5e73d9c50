"""Gradients of functions from their values, and certificates of swarms."""

import json

import numpy as np

from . import _native
from ._result import OptimizeResult
from ._space import read_bounds


def list_gradients():
    """The names of all sources of gradients: what ``source=`` of :func:`gradient` takes."""
    return [row["name"] for row in json.loads(_native.sources())]


def gradient(fun, x, source="proximal", *, args=(), bounds=None, vectorized=False, rng=0, options=None, full_output=False):
    """A gradient of ``fun`` at ``x`` from its values alone, where it has none: read off a swarm, a cloud or differences.

    ``source`` is a name of :func:`list_gradients`, ``options`` its parameters: ``gradient(abs_sum, x, options={"tau": 0.1})``.
    ``vectorized`` functions get an ``(n, d)`` array. With ``full_output`` also a dict: ``value`` at the point, ``nfev``, and what
    the samples say of the gradient (``effective_samples``, ``standard_error``, ``collapse``: why not to rely on it).
    """
    x = np.asarray(x, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"x has shape {x.shape}, expected (d,)")
    call = (lambda z: fun(z, *args)) if args else fun
    ends = read_bounds(bounds) if bounds is not None else None
    found, value, nfev, reliable = _native.gradient_of(
        call, x.tolist(), source, json.dumps(options or {}), int(rng), ends, bool(vectorized)
    )
    if not full_output:
        return found
    info = {"value": value, "nfev": nfev, "effective_samples": None, "standard_error": None, "collapse": None}
    if reliable is not None:
        info.update(zip(("effective_samples", "standard_error", "collapse"), reliable))
    return found, info


class Certificate(OptimizeResult):
    """What the theorems of the mean-field paper promise of ``pso_sde``: ``verdict`` is ``holds``, ``not_proven`` or ``fails``,
    ``hypotheses`` one by one, ``rate`` the guaranteed rate, ``measured`` that of a run, ``promise``, ``suggestions``."""

    def __repr__(self):
        lines = [f"Theorem {self.theorem}: {self.verdict}"]
        lines += [f"  {h['name']:<12} {h['verdict']:<10} {h['because']}" for h in self.hypotheses]
        return "\n".join(lines + [f"guaranteed rate: {self.rate}"])

    def _repr_html_(self):
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def certify(fun, dim=None, *, start="normal:0:1", options=None, hessian=None, minimum=None, points=100_000, horizon=3.0,
            swarm=10_000, rng=0, vectorized=False):
    """Whether swarms of ``pso_sde`` provably gather near the minimum of ``fun``: see ``swarmgrad certify --help``.

    ``fun`` is an objective or a test problem, ``start`` the law of the first points, ``options`` parameters of ``pso_sde``,
    ``hessian`` a bound on the Hessian's norm and ``minimum`` the infimum: what is not given is estimated, and then nothing is
    proven. ``horizon=0`` measures no run.
    """
    if dim is None:
        if not isinstance(fun, _native.TestFunction):
            raise ValueError("dim: needed for a function that is no test problem")
        dim = fun.dim
    text = _native.certify(fun, int(dim), start, json.dumps(options or {}), hessian, minimum, int(points), float(horizon),
                           int(swarm), int(rng), bool(vectorized))
    return Certificate(json.loads(text))
