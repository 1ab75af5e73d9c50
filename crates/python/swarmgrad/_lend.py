"""The gradients that swarms lend to losses of networks: a row of outputs a sample, every sample with draws of its own.

All is arithmetic on arrays, which may be NumPy's or PyTorch's. With outputs ``w`` and the loss ``f`` of a sample:

``prox``           ``(w - g) / tau``, ``g`` the minimiser of ``f(z) + |z - w|^2 / (2 tau)``: the gradient of the Moreau envelope
``consensus``      ``(w - m) / (alpha sigma^2)``, ``m`` the mean of ``z = w + sigma e`` with weights ``exp(-alpha f(z))``
``es``             mean of ``(f(w + sigma e) - f(w - sigma e)) / (2 sigma) e``
``least_squares``  the slope of the plane through ``f(w)`` that fits the values of the cloud best
``swarm``          ``kappa (w - g)``, ``g`` the best that a swarm finds, ``kappa = (c1 + c2) / (2 (1 - beta))`` (the AdaSwarm paper)
"""

import json

import numpy as np

from . import _native

DEFAULTS = {
    "prox": {"tau": 1.0, "particles": 20, "iterations": None, "span": None, "beta": 0.2, "c1": 1.2, "c2": 1.2},
    "consensus": {"alpha": 10.0, "sigma": 0.1, "particles": 200},
    "es": {"sigma": 0.1, "particles": 200},
    "least_squares": {"sigma": 0.1, "particles": 200},
    "swarm": {"particles": 10, "iterations": 40, "span": 1.0, "beta": 0.2, "c1": 1.2, "c2": 1.2},
}


class Lender:
    """An estimator with its settings. Call ``n`` has the draws of ``(seed, n)``, whatever the kind of array."""

    def __init__(self, loss, kind="prox", per=None, seed=0, **settings):
        if kind not in DEFAULTS:
            raise ValueError(f"kind = {kind!r}: must be one of {', '.join(DEFAULTS)}")
        if not isinstance(loss, str):
            per = "sample" if per is None else per
            if per not in ("sample", "element"):
                raise ValueError(f"per = {per!r}: must be 'sample' or 'element'")
        unknown = sorted(set(settings) - set(DEFAULTS[kind]))
        if unknown:
            raise TypeError(f"{unknown[0]}: no setting of {kind}, which has {', '.join(DEFAULTS[kind])}")
        self.loss, self.kind, self.per, self.seed, self.calls = loss, kind, per, int(seed), 0
        self.settings = {**DEFAULTS[kind], **settings}
        wrong = [name for name, value in self.settings.items() if value is not None and not value >= 0]
        if wrong:
            raise ValueError(f"{wrong[0]} = {self.settings[wrong[0]]}: must be a number, at least 0")
        # By the number of columns.
        self.named = {}
        if isinstance(loss, str):
            self._name_of(1)

    def __getstate__(self):
        return {**self.__dict__, "named": {}}

    def _name_of(self, columns):
        """The library's own loss of that name, for rows of so many outputs."""
        if columns not in self.named:
            settings = {key: value for key, value in self.settings.items() if value is not None}
            per = self.per or _native.NamedLoss(self.loss, columns, "es", None, '{"sigma": 1}').per
            if self.kind == "prox" and per != "batch":
                settings.setdefault("iterations", self._iterations(1 if per == "element" else columns))
            found = _native.NamedLoss(self.loss, columns, self.kind, self.per, json.dumps(settings))
            self.named[columns] = found
        return self.named[columns]

    def _iterations(self, dim):
        given = self.settings["iterations"]
        return 60 + 6 * (dim - 1) if given is None else given

    def samples(self, shape):
        """How many values a batch of outputs of this shape has."""
        columns = int(np.prod(shape[1:]))
        per = self._name_of(columns).per if isinstance(self.loss, str) else self.per
        return {"element": shape[0] * columns, "sample": shape[0], "batch": min(1, shape[0])}[per]

    def _lend_named(self, xp, outputs, targets):
        rows, columns = outputs.shape[0], int(np.prod(outputs.shape[1:]))
        out = np.ascontiguousarray(xp.host(outputs), dtype=np.float32).reshape(rows, columns)
        given = xp.host(targets)
        if given.ndim == 1 and columns > 1 and given.dtype.kind in "iub":
            if len(given) != rows or rows and not 0 <= given.min() <= given.max() < columns:
                raise ValueError(f"targets: must be {rows} classes from 0 to {columns - 1}, or rows like the outputs")
            given = np.eye(columns, dtype=np.float32)[given.astype(int)]
        if given.size != out.size:
            raise ValueError(f"targets have shape {tuple(targets.shape)}, expected {tuple(outputs.shape)}, or a class a row")
        target = np.ascontiguousarray(given, dtype=np.float32).reshape(rows, columns)
        value, gradient = self._name_of(columns).lend(out, target, self.seed, self.calls)
        self.calls += 1
        return xp.like(value, outputs), xp.like(gradient.reshape(tuple(outputs.shape)), outputs)

    def __call__(self, xp, outputs, targets):
        """Values of the samples and gradients of the outputs, which have the outputs' shape."""
        if isinstance(self.loss, str):
            return self._lend_named(xp, outputs, targets)
        shape = tuple(outputs.shape)
        w = outputs.reshape(shape[0], -1)
        if self.per == "element":
            if tuple(targets.shape) != shape:
                raise ValueError(f"targets have shape {tuple(targets.shape)}, expected {shape}: a target an element")
            w, targets = w.reshape(-1, 1), targets.reshape(-1, 1)

        def loss(z):
            # (P, n, k) points: the samples of all points in one call.
            many = z.shape[0]
            rows = z.reshape(many * w.shape[0], w.shape[1])
            if self.per == "sample":
                rows = rows.reshape(many * w.shape[0], *shape[1:])
            values = self.loss(rows, xp.tile(targets, many))
            if tuple(values.shape) not in ((rows.shape[0],), (rows.shape[0], 1)):
                found, wanted = tuple(values.shape), (rows.shape[0],)
                raise ValueError(f"the loss returned shape {found}, expected {wanted}: a value a sample, without a mean")
            return values.reshape(many, w.shape[0])

        draws = np.random.Generator(np.random.Philox(key=[self.seed, self.calls]))
        self.calls += 1
        value = loss(w[None])[0]
        gradient = getattr(self, "_" + self.kind)(xp, w, value, loss, draws)
        return value, gradient.reshape(shape)

    def _cloud(self, xp, w, draws):
        """Half of a cloud of deviation 1, (P, n, k); the other half is its mirror image."""
        half = max(1, self.settings["particles"] // 2)
        return xp.like(draws.standard_normal((half, *w.shape)), w)

    def _es(self, xp, w, _value, loss, draws):
        sigma, e = self.settings["sigma"], self._cloud(xp, w, draws)
        slope = (loss(w[None] + sigma * e) - loss(w[None] - sigma * e)) / (2 * sigma)
        return (xp.finite(slope)[:, :, None] * e).mean(0)

    def _consensus(self, xp, w, _value, loss, draws):
        sigma, alpha, e = self.settings["sigma"], self.settings["alpha"], self._cloud(xp, w, draws)
        z = xp.concat([w[None] + sigma * e, w[None] - sigma * e])
        f = xp.or_inf(loss(z))
        # The least value may be taken off: weights are ratios.
        weights = xp.exp(-alpha * xp.finite(f - xp.least(f), np.inf))
        total = weights.sum(0)
        mean = (weights[:, :, None] * z).sum(0) / xp.above(total)[:, None]
        return xp.finite((w - mean) * (xp.above(total) == total)[:, None] / (alpha * sigma**2))

    def _least_squares(self, xp, w, value, loss, draws):
        sigma, e = self.settings["sigma"], self._cloud(xp, w, draws)
        d = xp.concat([e, -e])
        rise = xp.finite(loss(w[None] + sigma * d) - value[None]) / sigma
        # Normal equations, a matrix a sample: d has (P, n, k).
        d, rise = xp.swap(d), xp.swap(rise)
        matrix = xp.transpose(d) @ d
        return xp.solve(matrix, xp.transpose(d) @ rise[:, :, None])[:, :, 0]

    def _fly(self, xp, w, loss, draws, iterations, span):
        """The best points of a swarm for each sample; the outputs themselves are its first particle."""
        s = self.settings
        start = draws.uniform(-1.0, 1.0, (s["particles"], *w.shape))
        start[0] = 0.0
        x = w[None] + span * xp.like(start, w)
        v = momentum = xp.like(np.zeros(start.shape), w)
        p, fp = x, xp.or_inf(loss(x))
        for _ in range(iterations):
            g = xp.best(p, fp)[0]
            r1, r2 = (xp.like(r, w) for r in draws.uniform(size=(2, *start.shape)))
            momentum = s["beta"] * momentum + (1 - s["beta"]) * v
            v = momentum + s["c1"] * r1 * (p - x) + s["c2"] * r2 * (g[None] - x)
            x = x + v
            f = xp.or_inf(loss(x))
            better = f < fp
            p, fp = xp.where(better[:, :, None], x, p), xp.where(better, f, fp)
        return xp.best(p, fp)[0]

    def _prox(self, xp, w, _value, loss, draws):
        tau, iterations = self.settings["tau"], self._iterations(w.shape[1])
        span = 2 * tau if self.settings["span"] is None else self.settings["span"]

        def near(z):
            return loss(z) + ((z - w[None]) ** 2).sum(-1) / (2 * tau)

        return (w - self._fly(xp, w, near, draws, iterations, span)) / tau

    def _swarm(self, xp, w, _value, loss, draws):
        s = self.settings
        kappa = (s["c1"] + s["c2"]) / (2 * (1 - s["beta"]))
        return kappa * (w - self._fly(xp, w, loss, draws, s["iterations"], s["span"]))


class NumPy:
    """What the arithmetic needs beyond operators."""

    exp, where, concat, solve = np.exp, np.where, np.concatenate, np.linalg.solve

    @staticmethod
    def like(values, other):
        return np.asarray(values, dtype=other.dtype)

    @staticmethod
    def host(values):
        return np.asarray(values)

    @staticmethod
    def tile(rows, many):
        return np.tile(rows, (many,) + (1,) * (rows.ndim - 1))

    @staticmethod
    def finite(values, other=0.0):
        return np.where(np.isfinite(values), values, other)

    @staticmethod
    def or_inf(values):
        return np.where(np.isnan(values), np.inf, values)

    @staticmethod
    def above(values):
        return np.where(values > 0, values, 1.0)

    @staticmethod
    def least(values):
        return values.min(0)

    @staticmethod
    def transpose(matrices):
        return matrices.swapaxes(-1, -2)

    @staticmethod
    def swap(values):
        return values.swapaxes(0, 1)

    @staticmethod
    def best(points, values):
        at = values.argmin(0)
        return np.take_along_axis(points, at[None, :, None], 0)[0], np.take_along_axis(values, at[None], 0)[0]


for _name in ("exp", "where", "concat", "solve"):
    setattr(NumPy, _name, staticmethod(getattr(NumPy, _name)))


def list_losses():
    """The names of losses that :func:`lend` and the layers take in place of a function; ``huber`` and ``quantile`` may have a
    parameter: ``"quantile:0.9"``."""
    return [row["name"] for row in json.loads(_native.losses())]


def lend(loss, outputs, targets, kind="prox", per=None, seed=0, **settings):
    """Values of the samples and the gradient lent to the outputs, with NumPy: what ``swarmgrad.torch.SwarmLoss`` and
    ``swarmgrad.jax.lend`` put in the place of dE/d(output).

    ``loss(outputs, targets)`` returns a value a sample, without a mean. ``kind`` is ``prox``, ``consensus``, ``es``,
    ``least_squares`` or ``swarm``; ``per="element"`` gives each output element a swarm of its own.

    Or ``loss`` is a name of :func:`list_losses`, such as ``"mae"``, ``"zero_one"``, ``"f1"``: the library's own, in single precision
    on the CPU, without a call of Python. Its values are those of its blocks: elements, samples, or for ``f1`` the batch; classes may
    be whole numbers, one a row. ``prox`` of ``mse``, ``mae``, ``bce``, ``huber`` and ``quantile`` is computed, not searched for.
    """
    lender = Lender(loss, kind, per, seed, **settings)
    outputs = np.asarray(outputs)
    if outputs.dtype.kind != "f":
        outputs = outputs.astype(float)
    return lender(NumPy, outputs, np.asarray(targets))
