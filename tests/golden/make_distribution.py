"""Golden trajectories of the methods that sample from a distribution: `python3 tests/golden/make_distribution.py`.

Written from the papers' equations, like make.py, whose draws, objectives and file format it uses. What differs in a file:

* "initial" has draws too (round 0): the first population is drawn, but for the start, which is its first row.
* State: x the population, fx its values, mean, sigma and p_sigma, p_c where they exist, in the coordinates of the problem
  (every file is for a cube or for all of R^d); g the mean as a point of the space; run the number of runs begun.
* "bounds", where they exist, are [lower, upper] for every variable. A coordinate near a bound is bent (fold below).
* Labels: z standard normals, one row a point (of mirrored pairs one row a pair); v the first direction of CR-FM-NES;
  start the uniform numbers of a new mean; regime the two numbers of a small run. The draws of run k are below run<k>/.
"""

import itertools
import math

import numpy as np

import make
from make import OBJECTIVES, Draws, gap, start_points, write


def real(number):
    return make.REAL(number)


# ---------------------------------------------------------------------------------------------- pieces


def fold(t, low, high):
    """The chart at two bounds: straight in the middle, quadratic within a = width / 20 of a bound, mirrored beyond."""
    a = (high - low) / 20
    out = []
    for t in t:
        while not low - a <= t <= high + a:
            t = 2 * (low - a) - t if t < low - a else 2 * (high + a) - t
        if t < low + a:
            t = low + (t - low + a) ** 2 / (4 * a)
        elif t > high - a:
            t = high - (t - high - a) ** 2 / (4 * a)
        out.append(t)
    return np.array(out)


def first_sigma(p, bounds):
    """A share of the width of the box; without bounds 0.3 means the deviation of the start's law, 1."""
    return real(p["sigma"]) / real(0.3) if bounds is None else real(p["sigma"]) * (real(bounds[1]) - real(bounds[0]))


def symmetric_function(c, function):
    """function(C) by Jacobi rotations, in any precision."""
    d = len(c)
    a, e = c.copy(), np.eye(d, dtype=make.REAL)
    for _ in range(30):
        for i, j in itertools.combinations(range(d), 2):
            if abs(a[i, j]) > 0:
                angle = np.arctan2(2 * a[i, j], a[j, j] - a[i, i]) / 2
                q = np.eye(d, dtype=make.REAL)
                q[i, i] = q[j, j] = np.cos(angle)
                q[i, j], q[j, i] = np.sin(angle), -np.sin(angle)
                a, e = q.T @ a @ q, e @ q
    return (e * function(np.diag(a))) @ e.T


def exponential(a):
    """exp(A) by its series; A is small."""
    term = total = np.eye(len(a), dtype=make.REAL)
    for k in range(1, 40):
        term = term @ a / k
        total = total + term
    return total


def norm(v):
    return np.sqrt((v * v).sum())


def expected_norm(n):
    n = real(n)
    return np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))


def ranked(fx):
    return np.argsort(fx, kind="stable")


# ---------------------------------------------------------------------------------------------- CMA-ES


class Cma:
    """Hansen's tutorial, figure 6 and table 1; `diagonal` is the separable version of Ros and Hansen."""

    def __init__(self, mean, p, lam, sigma, bounds=None, diagonal=False):
        self.n, self.lam, self.p, self.bounds, self.diagonal = len(mean), lam, p, bounds, diagonal
        n = real(self.n)
        self.m, self.sigma, self.sigma0 = mean.astype(make.REAL), real(sigma), real(sigma)
        raw = np.array([np.log(real(lam + 1) / 2) - np.log(real(i)) for i in range(1, lam + 1)])
        self.mu = mu = lam // 2
        plus, minus = raw[:mu], raw[mu:]
        self.mueff = plus.sum() ** 2 / (plus**2).sum()
        mueff_minus = minus.sum() ** 2 / (minus**2).sum()
        faster = (n + 2) / 3 if diagonal else 1
        self.c1 = faster * 2 / ((n + real("1.3")) ** 2 + self.mueff)
        self.cmu = min(
            1 - self.c1,
            faster * 2 * (real("0.25") + self.mueff + 1 / self.mueff - 2) / ((n + 2) ** 2 + self.mueff),
        )
        self.cs = (self.mueff + 2) / (n + self.mueff + 5)
        self.ds = 1 + 2 * max(real(0), np.sqrt((self.mueff - 1) / (n + 1)) - 1) + self.cs
        self.cc = (4 + self.mueff / n) / (n + 4 + 2 * self.mueff / n)
        size = min(1 + self.c1 / self.cmu, 1 + 2 * mueff_minus / (self.mueff + 2), (1 - self.c1 - self.cmu) / (n * self.cmu))
        if diagonal or not p.get("active", True):
            size = real(0)
        self.w = np.concatenate([plus / plus.sum(), minus * size / abs(minus).sum()])
        self.ps, self.pc = np.zeros_like(self.m), np.zeros_like(self.m)
        self.C = np.eye(self.n, dtype=make.REAL)
        self.root = self.inverse_root = self.C.copy()
        self.g = self.decomposed = 0
        self.best = []
        self.spent = 0

    def sample(self, draw, label):
        wait = max(1, math.floor(1 / (2 * self.n * (self.c1 + self.cmu)))) if not self.diagonal else 1
        if self.g >= self.decomposed + wait:
            self.decomposed = self.g
            self.root = symmetric_function(self.C, np.sqrt)
            self.inverse_root = symmetric_function(self.C, lambda t: 1 / np.sqrt(t))
        self.y = draw.normal(label, self.lam, self.n) @ self.root
        if self.g == 0:
            self.y[0] = 0  # the initial mean itself
        return self.points(self.m + self.sigma * self.y)

    def points(self, w):
        return w if self.bounds is None else np.array([fold(row, *self.bounds) for row in w])

    def update(self, fx):
        n = self.n
        y = self.y[ranked(fx)]
        self.g += 1
        self.spent += len(fx)
        yw = self.w[: self.mu] @ y[: self.mu]
        self.m = self.m + self.sigma * yw
        self.ps = (1 - self.cs) * self.ps + np.sqrt(self.cs * (2 - self.cs) * self.mueff) * (self.inverse_root @ yw)
        long = norm(self.ps) / np.sqrt(1 - (1 - self.cs) ** (2 * self.g))
        hs = long < (real("1.4") + 2 / (real(n) + 1)) * expected_norm(n)
        self.pc = (1 - self.cc) * self.pc + hs * np.sqrt(self.cc * (2 - self.cc) * self.mueff) * yw
        lengths = ((y @ self.inverse_root) ** 2).sum(axis=1)
        w = np.array([w if w >= 0 else (w * n / l if l > 0 else real(0)) for w, l in zip(self.w, lengths)])
        delta = (1 - hs) * self.cc * (2 - self.cc)
        C = (1 + self.c1 * delta - self.c1 - self.cmu * self.w.sum()) * self.C
        C = C + self.c1 * np.outer(self.pc, self.pc) + self.cmu * (y.T * w) @ y
        self.C = np.diag(np.diag(C)) if self.diagonal else C
        self.sigma = self.sigma * np.exp(self.cs / self.ds * (norm(self.ps) / expected_norm(n) - 1))
        self.hs = hs
        self.best.append(fx.min())
        self.spread = fx.max() - fx.min()

    def ended(self):
        """TolX and TolFun; the trajectories meet no other criterion."""
        small = self.p.get("tol_x", 1e-12) * self.sigma0
        deviations = np.maximum(self.sigma * np.sqrt(np.diag(self.C)), abs(self.sigma * self.pc))
        if (deviations < small).all():
            return True
        last = self.best[-(10 + math.ceil(30 * self.n / self.lam)) :]
        full = len(last) == 10 + math.ceil(30 * self.n / self.lam)
        return full and max(max(last) - min(last), self.spread) < self.p.get("tol_fun", 1e-12)

    def state(self, x, fx):
        return dict(x=x, fx=fx, mean=self.m, g=self.points(self.m[None])[0], sigma=self.sigma, p_sigma=self.ps, p_c=self.pc)


def cma_es(f, x, p, draw, bounds, diagonal=False):
    cma = Cma(x[0], p, p["particles"], first_sigma(p, bounds), bounds, diagonal)
    while True:
        x = cma.sample(draw, "z")
        fx = f(x)
        cma.update(fx)
        yield dict(cma.state(x, fx), hs=cma.hs)


def sep_cma_es(f, x, p, draw, bounds):
    return cma_es(f, x, p, draw, bounds, diagonal=True)


def restarted(f, x, p, draw, bounds, following):
    """Run after run; `following(past)` gives population, sigma and limit of the next."""
    run, cma, fbest = 0, None, math.inf
    width = bounds[1] - bounds[0]
    while True:
        lam, share, limit = following(cma, run, draw)
        mean = x[0] if run == 0 else bounds[0] + draw.uniform(f"run{run}/start", 1, len(x[0]))[0] * width
        cma = Cma(mean, p, lam, share * width, bounds)
        while not cma.g or not (cma.ended() or cma.spent >= limit):
            points = cma.sample(draw, f"run{run}/z")
            fx = f(points)
            cma.update(fx)
            if fx.min() < fbest:
                best, fbest = points[np.argmin(fx)], fx.min()
            yield dict(cma.state(points, fx), g=best, run=run + 1)
        run += 1


def ipop_cma_es(f, x, p, draw, bounds):
    return restarted(f, x, p, draw, bounds, lambda past, run, _: (2**run * p["particles"], p["sigma"], math.inf))


def bipop_cma_es(f, x, p, draw, bounds):
    spent, k, kind, last = dict(large=0, small=0), 0, None, 0

    def following(past, run, draw):
        nonlocal k, kind, last
        lam, sigma = p["particles"], p["sigma"]
        if run == 0:
            return lam, sigma, math.inf
        if kind:
            spent[kind] += past.spent
            last = past.spent if kind == "large" else last
        kind = "large" if spent["large"] <= spent["small"] else "small"
        if kind == "large":
            k += 1
            return 2**k * lam, sigma, math.inf
        u1, u2 = draw.one(f"run{run}/regime", 0), draw.one(f"run{run}/regime", 0)
        return math.floor(lam * (2**k / 2) ** (u1 * u1)), sigma * real(10) ** (-2 * real(u2)), max(1, last // 2)

    return restarted(f, x, p, draw, bounds, following)


# ---------------------------------------------------------------------------------------------- running


def trace(program, objective, start, p, seed, steps, bounds):
    draw = Draws(seed)
    states = itertools.islice(program(OBJECTIVES[objective], start.astype(make.REAL), p, draw, bounds), steps + 1)
    walked = [dict({"round": k, "draws": draw.take()}, **state) for k, state in enumerate(states)]
    return walked[0], walked[1:]


def trajectory(name, program, objective, start, p, seed, steps, bounds=None):
    initial, walked = trace(program, objective, start, p, seed, steps, bounds)
    for s in [initial] + walked:
        apart = np.diff(np.sort(s["fx"]))
        assert ((apart == 0) | (apart > 1e-9)).all(), "a comparison is too close"
    make.REAL = np.longdouble
    try:
        precise = trace(program, objective, start, p, seed, steps, bounds)
        rounding = gap(precise, (initial, walked))
    finally:
        make.REAL = np.float64
    assert rounding < 1e-13, f"{name}: rounding {rounding:.1e}"
    head = dict(method=program.__name__, params=p, objective=objective, dim=start.shape[1], particles=p["particles"])
    if bounds is not None:
        head["bounds"] = bounds
    size = write(name, dict(head, start=start, initial=initial), dict(steps=walked))
    print(f"{name:28} d={start.shape[1]} steps={steps:2} rounding {rounding:.0e} {size:6} bytes")
    return initial, walked


def one(seed, d, scale=2.0):
    return start_points(seed, 1, d, scale)


def cma_files():
    p = dict(particles=7, sigma=0.24)
    _, walked = trajectory("cma_es", cma_es, "rosenbrock", one(101, 4), p, 101, 14)
    _, stalled = trajectory("cma_es_stalled", cma_es, "sphere", one(102, 3, 50.0), dict(particles=9, sigma=0.03), 102, 12)
    assert not all(s["hs"] for s in stalled) and any(s["hs"] for s in stalled)
    trajectory("cma_es_passive", cma_es, "rastrigin25", one(103, 3), dict(p, active=False), 103, 10)
    _, lazy = trajectory("cma_es_lazy", cma_es, "rosenbrock", one(104, 12, 1.0), dict(particles=4, sigma=0.09), 104, 14)
    _, boxed = trajectory("cma_es_box", cma_es, "rastrigin25", one(105, 3), dict(particles=6, sigma=0.6), 105, 12, [-2.0, 2.5])
    assert all(-2.0 <= t <= 2.5 for s in boxed for t in s["x"].flat)
    assert any(abs(s["mean"] - s["g"]).max() > 0 for s in boxed)
    trajectory("sep_cma_es", sep_cma_es, "rosenbrock", one(106, 4), p, 106, 14)
    short = dict(particles=4, sigma=0.3, tol_x=0.4)
    _, runs = trajectory("ipop_cma_es", ipop_cma_es, "sphere", one(107, 2), short, 107, 16, [-4.0, 3.0])
    assert runs[-1]["run"] >= 3
    _, runs = trajectory("bipop_cma_es", bipop_cma_es, "sphere", one(108, 2), short, 108, 48, [-4.0, 3.0])
    sizes = [len(s["x"]) for s in runs]
    assert max(sizes) >= 16 and sum(f"run{s['run'] - 1}/regime" in s["draws"] for s in runs) >= 2, sizes


if __name__ == "__main__":
    cma_files()
