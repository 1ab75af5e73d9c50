"""Golden trajectories of the differentiable evolution strategies: `python3 tests/golden/make_diff_es.py` rewrites their files.

In the form and with the checks of make_distribution.py, whose plain methods they are; steps, pairs and gradients are those of
make_diff.py. What is written here, from the description of the hybrid mode, is what stands beside the distribution:

* The first population gives the max(1, floor(q lambda)) best points y, fy. Every iteration each of them, in the metric of the
  distribution as it is when it samples, makes a step, which is evaluated with its gradient and kept if it is better; then each
  sample in turn that is better than the worst of them takes its place. The distribution is told of its samples alone.
* Population step: u = h / sqrt(g'h), h = (1 - a) C g + a tr(C) / d g, a = 1e-6, C the covariance with sigma^2 in it; raw step:
  u = sqrt(tr C) g / |g|.

Draws: z of the plain method; way, row i: the two uniforms of make_diff.py for the point of place i.
"""

import math

import numpy as np

import make
import make_distribution
from make import mirror
from make_diff import Known, slope
from make_distribution import Cma, first_sigma, natural_weights, one, ranked, real, trajectory

COUNT = {}


class Beside:
    """The points that make gradient steps."""

    def __init__(self, f, p, bounds):
        self.f, self.p = f, p
        self.low, self.high = (real(b) for b in (bounds or [-math.inf, math.inf]))
        self.y = None

    def begin(self, x, fx):
        count = max(1, math.floor(self.p["elite"] * len(x)))
        self.y = np.zeros((count, x.shape[1]), dtype=make.REAL)
        self.fy = np.full(count, np.inf, dtype=make.REAL)
        self.known = [Known(i) for i in range(count)]
        COUNT.clear()
        self.enlist(x, fx)

    def enlist(self, x, fx):
        for point, value in zip(x, fx):
            worst = min(i for i in range(len(self.fy)) if self.fy[i] == self.fy.max())
            if value < self.fy[worst]:
                self.y[worst], self.fy[worst] = point, value
                COUNT["new"] = COUNT.get("new", 0) + 1

    def move(self, draw, covariance):
        spread = np.trace(covariance)
        for i, known in enumerate(self.known):
            if known.x is None or (known.x != self.y[i]).any():
                known.x, known.g = self.y[i].copy(), slope(self.f.__name__, self.y[i])
            u1, u2 = draw.one("way", i), draw.one("way", i)
            way, u = known.step(u1, u2, self.p["secant"], spread, lambda share, g: share * (covariance @ g))
            trial = mirror(known.x - known.delta[way] * u, self.low, self.high)
            value = self.f(trial[None, :])[0]
            assert abs(value - self.fy[i]) > 1e-9 * (1 + abs(value)), "a comparison is too close"
            won = value < self.fy[i]
            COUNT[way, bool(won)] = COUNT.get((way, bool(won)), 0) + 1
            known.learn(way, trial, slope(self.f.__name__, trial) if won else None, self.p["pairs"])
            if won:
                self.y[i], self.fy[i] = trial, value

    def state(self):
        return dict(y=self.y.copy(), fy=self.fy.copy())


def diff_cma_es(f, x, p, draw, bounds):
    cma, beside = Cma(x[0], p, p["particles"], first_sigma(p, bounds, 0.2), bounds), Beside(f, p, bounds)
    while True:
        x = cma.sample(draw, "z")
        if beside.y is not None:
            beside.move(draw, cma.sigma**2 * cma.C)
        fx = f(x)
        beside.enlist(x, fx) if beside.y is not None else beside.begin(x, fx)
        cma.update(fx)
        yield dict(cma.state(x, fx), **beside.state())


def diff_es(f, x, p, draw, bounds):
    """SNES, Schaul et al. 2011; the equations of make_distribution.snes with the points beside it."""
    lam, mu, n = p["particles"], x[0], real(x.shape[1])
    sigma, beside = np.full_like(mu, first_sigma(p, bounds)), Beside(f, p, bounds)
    _, u = natural_weights(lam)
    eta = (3 + np.log(n)) / (5 * np.sqrt(n))
    while True:
        s = draw.normal("z", lam, len(mu))
        if beside.y is None:
            s[0] = 0
        x = mu + sigma * s
        if beside.y is not None:
            beside.move(draw, np.diag(sigma**2))
        fx = f(x)
        beside.enlist(x, fx) if beside.y is not None else beside.begin(x, fx)
        s = s[ranked(fx)]
        mu = mu + sigma * (u @ s)
        sigma = sigma * np.exp(eta / 2 * (u @ (s * s - 1)))
        yield dict(x=x, fx=fx, mean=mu, g=mu, sigma_vector=sigma, **beside.state())


def file(name, program, objective, seed, d, p, steps, bounds=None, scale=2.0):
    """The first seed from `seed` on whose comparisons are all clear."""
    while True:
        try:
            trajectory(name, program, objective, one(seed, d, scale), dict(p, mode="hybrid"), seed, steps, bounds)
            print("    ", seed, COUNT)
            return dict(COUNT)
        except (AssertionError, ValueError) as why:
            print("    ", seed, why)
            seed += 1


if __name__ == "__main__":
    seen = {}
    usual = dict(elite=0.3, pairs=3, secant=0.6)
    for count in (
        file("diff_cma_es", diff_cma_es, "rosenbrock", 301, 4, dict(usual, particles=7, sigma=0.16), 14, scale=1.2),
        file("diff_cma_es_box", diff_cma_es, "rastrigin25", 311, 3, dict(usual, particles=7, sigma=0.3), 12, [-2.0, 2.5]),
        file("diff_es", diff_es, "rosenbrock", 321, 4, dict(usual, particles=9, sigma=0.2), 14, scale=1.2),
        file("diff_es_many", diff_es, "rastrigin25", 331, 3, dict(usual, particles=10, sigma=0.2, pairs=2), 12),
    ):
        for key, value in count.items():
            seen[key] = seen.get(key, 0) + value
    for way in ("raw", "population", "secant"):
        assert seen[way, True] >= 3 and seen[way, False] >= 3, seen
    print(seen)
