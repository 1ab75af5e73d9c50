"""Losses without a gradient in JAX."""

import jax
import jax.numpy as jnp
import numpy as np

from ._lend import Lender, NumPy

__all__ = ["lend"]


def lend(loss, kind="prox", *, per=None, seed=0, **settings):
    """A function ``(outputs, targets) -> values`` of the samples, whose gradient is lent by a swarm.

    ``loss(outputs, targets)`` works on NumPy arrays and returns a value a sample, or is a name of :func:`swarmgrad.list_losses`. It runs on the host; the function works under
    ``jit`` and ``grad``.

    >>> wrong = lend(lambda out, y: (out.argmax(1) != y) * 1.0, "consensus", sigma=1.0)     # doctest: +SKIP
    >>> jax.grad(lambda w: wrong(x @ w, y).mean())(w)                                       # doctest: +SKIP
    """
    lender = Lender(loss, kind, per, seed, **settings)

    def host(outputs, targets):
        outputs = np.asarray(outputs)
        value, gradient = lender(NumPy, outputs, np.asarray(targets))
        return np.asarray(value, outputs.dtype), np.asarray(gradient, outputs.dtype)

    def both(outputs, targets):
        shapes = (jax.ShapeDtypeStruct((lender.samples(outputs.shape),), outputs.dtype), jax.ShapeDtypeStruct(outputs.shape, outputs.dtype))
        return jax.pure_callback(host, shapes, outputs, targets)

    @jax.custom_vjp
    def function(outputs, targets):
        return both(outputs, targets)[0]

    def forward(outputs, targets):
        value, gradient = both(outputs, targets)
        return value, (gradient, targets)

    def backward(kept, above):
        gradient, targets = kept
        wide = above.reshape(gradient.shape) if above.size == gradient.size else above.reshape(-1, *(1,) * (gradient.ndim - 1))
        # Targets of whole numbers have a gradient of no type.
        none = np.zeros(targets.shape, jax.dtypes.float0) if not jnp.issubdtype(targets.dtype, jnp.floating) else jnp.zeros_like(targets)
        return wide * gradient, none

    function.defvjp(forward, backward)
    return function
