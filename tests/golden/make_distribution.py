"""Golden trajectories of the methods that sample from a distribution: `python3 tests/golden/make_distribution.py`.

Written from the papers' equations, like make.py, whose draws, objectives and file format it uses. What differs in a file:

* "initial" has draws too (round 0): the first population is drawn, but for the start, which is its first row.
* State: x the population, fx its values, mean, sigma and p_sigma, p_c where they exist, in the coordinates of the problem
  (every file is for a cube or for all of R^d); g the mean as a point of the space; run the number of runs begun.
* "bounds", where they exist, are [lower, upper] for every variable. A step that leads outside is drawn anew, up to three times
  (again, row i: its normals); a point that is outside still is evaluated at its mirror image and its step stands. Where "outside" is
  not given, the box goes on for a hundredth of its width on each side, bent as in pycma's BoxConstraintsLinQuadTransformation, and
  mean is the unbent one; where it is "clamp" a point is clipped, and its step becomes the one that leads to where it was evaluated.
* The file of lq-CMA-ES: a step is a pass of its inner loop, x the points of that pass; kind of the model (0 linear, 1 with squares,
  2 full), tau after the pass, and whether all of the population are evaluated.
* Labels: z standard normals, one row a point (of mirrored pairs one row a pair); v the first direction of CR-FM-NES;
  start the uniform numbers of a new mean; regime the two numbers of a small run. The draws of run k are below run<k>/.
"""

import itertools
import math

import numpy as np

import make
from make import OBJECTIVES, Draws, gap, mirror, start_points, write


def real(number):
    return make.REAL(number)


# ---------------------------------------------------------------------------------------------- pieces


class Clamped(list):
    """Bounds at which points are clipped."""


class Bent(list):
    """Bounds beyond which the landscape goes on, and turns back."""

    def strip(self):
        return (real(self[1]) - real(self[0])) / 100

    def wide(self):
        return [real(self[0]) - self.strip(), real(self[1]) + self.strip()]

    def fold(self, t):
        a, (low, high) = self.strip(), self.wide()
        t = mirror(t, low, high)
        x = np.where(t < low + 2 * a, real(self[0]) + (t - low) ** 2 / (4 * a), t)
        return np.where(t > high - 2 * a, real(self[1]) - (high - t) ** 2 / (4 * a), x)

    def unfold(self, x):
        a, (low, high) = self.strip(), self.wide()
        below = low + 2 * np.sqrt(a * np.maximum(x - real(self[0]), 0))
        above = high - 2 * np.sqrt(a * np.maximum(real(self[1]) - x, 0))
        return np.where(x < low + 2 * a, below, np.where(x > high - 2 * a, above, x))


def first_sigma(p, bounds, usual=0.3):
    """A share of the width of the box; without bounds the usual one means the deviation of the start's law, 1."""
    return real(p["sigma"]) / real(usual) if bounds is None else real(p["sigma"]) * (real(bounds[1]) - real(bounds[0]))


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
        if not p.get("active", True):
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
        x = self.m + self.sigma * self.y
        ends = self.bounds.wide() if isinstance(self.bounds, Bent) else self.bounds
        outside = lambda t: ends is not None and ((t < ends[0]) | (t > ends[1])).any()
        if not isinstance(self.bounds, Clamped):
            for k in range(self.lam):
                for _ in range(3):
                    if outside(self.m + self.sigma * self.y[k]):
                        self.y[k] = draw.normals(label.replace("z", "again"), k, self.n) @ self.root
            x = self.m + self.sigma * self.y
        self.left = bool(outside(x))
        if isinstance(self.bounds, Clamped):
            x = np.clip(x, *self.bounds)
            y = (x - self.m) / self.sigma
            longest = np.sqrt(real(self.n)) + 2 * real(self.n) / (self.n + 2)
            for k in np.flatnonzero((self.m + self.sigma * self.y != x).any(axis=1)):
                length = norm(self.inverse_root @ y[k])  # an injected point (Hansen 2011)
                self.y[k] = y[k] * min(real(1), longest / length)
        return self.inside(x)

    def inside(self, x):
        if isinstance(self.bounds, Bent):
            return self.bounds.fold(x)
        return x if self.bounds is None else mirror(x, *(real(b) for b in self.bounds))

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
        return dict(x=x, fx=fx, mean=self.m, g=self.inside(self.m), sigma=self.sigma, p_sigma=self.ps, p_c=self.pc)


def cma_es(f, x, p, draw, bounds, diagonal=False):
    mean = bounds.unfold(x[0]) if isinstance(bounds, Bent) else x[0]
    cma = Cma(mean, p, p["particles"], first_sigma(p, bounds, 0.2), bounds, diagonal)
    while True:
        x = cma.sample(draw, "z")
        fx = f(x)
        cma.update(fx)
        yield dict(cma.state(x, fx), hs=cma.hs, left=cma.left)


def sep_cma_es(f, x, p, draw, bounds):
    return cma_es(f, x, p, draw, bounds, diagonal=True)


def restarted(f, x, p, draw, bounds, following):
    """Run after run; `following(past)` gives population, sigma and limit of the next."""
    run, cma, fbest = 0, None, math.inf
    width = bounds[1] - bounds[0]
    while True:
        lam, share, limit = following(cma, run, draw)
        mean = x[0] if run == 0 else bounds[0] + draw.uniform(f"run{run}/start", 1, len(x[0]))[0] * width
        mean = bounds.unfold(mean) if isinstance(bounds, Bent) else mean
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


# ---------------------------------------------------------------------------------------------- natural evolution strategies


def natural_weights(lam):
    raw = np.array([max(real(0), np.log(real(lam) / 2 + 1) - np.log(real(k))) for k in range(1, lam + 1)])
    return raw, raw / raw.sum() - 1 / real(lam)


def snes(f, x, p, draw, bounds):
    lam, mu, n = p["particles"], x[0], real(x.shape[1])
    sigma = np.full_like(mu, first_sigma(p, bounds))
    _, u = natural_weights(lam)
    eta = (3 + np.log(n)) / (5 * np.sqrt(n))
    first = True
    while True:
        s = draw.normal("z", lam, len(mu))
        s[0] *= not first
        first = False
        x = mu + sigma * s
        fx = f(x)
        s = s[ranked(fx)]
        mu = mu + sigma * (u @ s)
        sigma = sigma * np.exp(eta / 2 * (u @ (s * s - 1)))
        yield dict(x=x, fx=fx, mean=mu, g=mu, sigma_vector=sigma)


def xnes(f, x, p, draw, bounds):
    lam, mu, n = p["particles"], x[0], real(x.shape[1])
    sigma, B, I = first_sigma(p, bounds), np.eye(len(mu), dtype=make.REAL), np.eye(len(mu), dtype=make.REAL)
    _, u = natural_weights(lam)
    eta = (9 + 3 * np.log(n)) / (5 * n * np.sqrt(n))
    first = True
    while True:
        s = draw.normal("z", lam, len(mu))
        s[0] *= not first
        first = False
        x = mu + sigma * s @ B.T
        fx = f(x)
        s = s[ranked(fx)]
        G = sum(uk * (np.outer(sk, sk) - I) for uk, sk in zip(u, s))
        Gs = np.trace(G) / n
        mu = mu + sigma * B @ (u @ s)
        sigma = sigma * np.exp(eta / 2 * Gs)
        B = B @ exponential(eta / 2 * (G - Gs * I))
        yield dict(x=x, fx=fx, mean=mu, g=mu, sigma=sigma)


def mirrored(draw, lam, n):
    half = draw.normal("z", (lam + 1) // 2, n)
    return np.array([half[k // 2] * (1 - 2 * (k % 2)) for k in range(lam)])


def fisher_gradient(v, D, Y, weights):
    """The natural gradient of VD-CMA for v and D, sample by sample, in the steps of Akimoto et al. 2014."""
    norm_v2 = v @ v
    norm_v = np.sqrt(norm_v2)
    vb = v / norm_v
    vbb = vb * vb
    gamma = 1 + norm_v2
    alpha = min(real(1), np.sqrt(norm_v2**2 + (2 * gamma - np.sqrt(gamma)) / vbb.max()) / (2 + norm_v2))
    b = -(1 - alpha**2) * norm_v2**2 / gamma + 2 * alpha**2
    H = 2 - (b + 2 * alpha**2) * vbb
    v_gain, d_gain = np.zeros_like(v), np.zeros_like(v)
    for y, w in zip(Y, weights):
        along = y @ vb
        t = along * y - vb * (along**2 + gamma) / 2
        s = y * y - norm_v2 / gamma * along * (y * vb) - 1
        s = s - alpha / gamma * ((2 + norm_v2) * (t * vb) - norm_v2 * vbb * (vb @ t))
        s = s / H - b / (1 + b * (vbb @ (vbb / H))) * ((vbb / H) @ s) * (vbb / H)
        t = t - alpha * ((2 + norm_v2) * (s * vb) - vb * (vbb @ s))
        v_gain, d_gain = v_gain + w * t / norm_v, d_gain + w * s * D
    return v_gain, d_gain


def cr_fm_nes(f, x, p, draw, bounds):
    lam, m, n = p["particles"], x[0], x.shape[1]
    sigma, d = first_sigma(p, bounds), real(n)
    v, D = draw.normal("v", 1, n)[0] / np.sqrt(d), np.ones_like(m)
    raw, w_rank = natural_weights(lam)
    mueff = 1 / ((w_rank + 1 / real(lam)) ** 2).sum()
    cs = (mueff + 2) / (d + mueff + 5)
    cc = (4 + mueff / d) / (d + 4 + 2 * mueff / d)
    chi = expected_norm(n)
    low, high = real(0), real(10)  # h(a) = (1 + a^2) exp(a^2 / 2) / 0.24 - 10 - d has one root: bisection
    for _ in range(200):
        a = (low + high) / 2
        low, high = (low, a) if (1 + a * a) * np.exp(a * a / 2) / real(0.24) > 10 + d else (a, high)
    ps, pc = np.zeros_like(m), np.zeros_like(m)
    first = True
    while True:
        z = mirrored(draw, lam, n)
        z[0] *= not first
        first = False
        root = np.sqrt(1 + v @ v)
        vb = v / np.sqrt(v @ v)
        y = z + (root - 1) * np.outer(z @ vb, vb)
        x = m + sigma * D * y
        fx = f(x)
        order = ranked(fx)
        z, y = z[order], y[order]
        ps = (1 - cs) * ps + np.sqrt(cs * (2 - cs) * mueff) * (w_rank @ z)
        far = norm(ps)
        w, phase = w_rank, 0
        if far >= chi:
            alpha = a * min(real(1), np.sqrt(lam / d))
            w = raw * np.exp(alpha * np.sqrt((z * z).sum(axis=1)))
            w = w / w.sum() - 1 / real(lam)
            eta = real(1)
        elif far >= chi / 10:
            eta, phase = np.tanh((real(0.024) * lam + real(0.7) * d + 20) / (d + 12)), 1
        else:
            eta, phase = 2 * np.tanh((real(0.025) * lam + real(0.75) * d + 10) / (d + 4)), 2
        step = w @ (sigma * D * y)
        pc = (1 - cc) * pc + np.sqrt(cc * (2 - cc) * mueff) * step / sigma
        m = m + step
        etaB = np.tanh((min(real(0.02) * lam, 3 * np.log(d)) + 5) / (real(0.23) * d + 25))
        c1 = 2 / ((d + real(1.3)) ** 2 + mueff) * max(real(0), (d - 5) / 6)
        dv, dD = fisher_gradient(v, D, list(y) + [pc / D], list(etaB * w) + [c1])
        v, D = v + dv, D + dD
        D = D / np.exp(np.log(D).sum() / d + np.log(1 + v @ v) / (2 * d))
        sigma = sigma * np.exp(eta / 2 * (w @ (z * z - 1).sum(axis=1)) / d)
        yield dict(x=x, fx=fx, mean=m, g=m, sigma=sigma, p_sigma=ps, p_c=pc, v_vector=v, d_vector=D, phase=phase)


# ---------------------------------------------------------------------------------------------- very many variables


def centred_ranks(fx):
    u = np.empty(len(fx), dtype=make.REAL)
    u[ranked(fx)] = real(1) / 2 - np.arange(len(fx)) / real(len(fx) - 1)
    return u


def open_es(f, x, p, draw, bounds):
    lam, theta = p["particles"], x[0]
    sigma = first_sigma(p, bounds)
    m, v, t = np.zeros_like(theta), np.zeros_like(theta), 0
    b1, b2 = real(p["beta1"]), real(p["beta2"])
    while True:
        e = mirrored(draw, lam, len(theta))
        e[0] *= t > 0
        x = theta + sigma * e
        fx = f(x)
        g = centred_ranks(fx) @ e / (lam * sigma)  # upwards in reward
        t += 1
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        theta = theta + real(p["learning_rate"]) * sigma * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + real(1e-8))
        sigma = sigma * real(p["decay"])
        yield dict(x=x, fx=fx, mean=theta, g=theta, sigma=sigma)


def pgpe(f, x, p, draw, bounds):
    lam, mu = p["particles"], x[0]
    sigma = np.full_like(mu, first_sigma(p, bounds))
    first = True
    while True:
        e = mirrored(draw, lam, len(mu)) * sigma
        e[0] *= not first
        first = False
        x = mu + e
        fx = f(x)
        u = centred_ranks(fx)
        change = real(p["sigma_rate"]) * 2 / lam * (u @ ((e * e - sigma**2) / sigma))
        mu = mu + real(p["mean_rate"]) * 2 / lam * (u @ e)
        capped = bool((abs(change) > sigma / 5).any())
        sigma = sigma + np.clip(change, -sigma / 5, sigma / 5)
        yield dict(x=x, fx=fx, mean=mu, g=mu, sigma_vector=sigma, capped=capped)


# ---------------------------------------------------------------------------------------------- lq-CMA-ES


def least_squares(a, b):
    """min |a beta - b| by modified Gram-Schmidt, twice, in any precision."""
    q, r = a.copy(), np.zeros((a.shape[1],) * 2, dtype=make.REAL)
    for j in range(a.shape[1]):
        for _ in range(2):
            share = q[:, :j].T @ q[:, j]
            q[:, j] = q[:, j] - q[:, :j] @ share
            r[:j, j] += share
        r[j, j] = norm(q[:, j])
        q[:, j] = q[:, j] / r[j, j]
    beta = q.T @ b
    for j in range(a.shape[1] - 1, -1, -1):
        beta[j] = (beta[j] - r[j, j + 1 :] @ beta[j + 1 :]) / r[j, j]
    return beta


def least_norm(a, b):
    """The shortest solution of a beta = b: beta = q c with a' = q r and r' c = b."""
    q, r = a.T.copy(), np.zeros((len(a),) * 2, dtype=make.REAL)
    for j in range(len(a)):
        for _ in range(2):
            share = q[:, :j].T @ q[:, j]
            q[:, j] = q[:, j] - q[:, :j] @ share
            r[:j, j] += share
        r[j, j] = norm(q[:, j])
        q[:, j] = q[:, j] / r[j, j]
    c = np.zeros(len(a), dtype=make.REAL)
    for j in range(len(a)):
        c[j] = (b[j] - r[:j, j] @ c[:j]) / r[j, j]
    return q @ c


class Model:
    """Linear, with squares, with products as well: Hansen 2019, section 3. Points, newest first."""

    def __init__(self, n, lam):
        self.n, self.lam, self.kind = n, lam, 0
        self.sizes = [n + 1, 2 * n + 1, n * (n + 3) // 2 + 1]
        self.points = []

    def add(self, x, f):
        self.points = [(x, f)] + self.points
        self.points = self.points[: max(self.lam, 2 * self.sizes[2])]
        for kind in (1, 2):
            if 0.75 * len(self.points) >= 1.1 * self.sizes[kind]:
                self.kind = max(self.kind, kind)

    def sort(self, count):
        self.points = sorted(self.points[:count], key=lambda point: point[1]) + self.points[count:]

    def features(self, x):
        u = (x - self.centre) / self.length
        phi = np.concatenate([[make.REAL(1)], u, u * u][: 2 + (self.kind > 0)])
        products = [u[j] * u[k] for j in range(self.n) for k in range(j)]
        return np.concatenate([phi, products]) if self.kind == 2 else phi

    def fit(self):
        best = sorted(self.points, key=lambda point: point[1])
        best = best[: max(self.sizes[self.kind] + 2, int(0.75 * (len(best) + 1)))]
        self.centre, self.base = best[0]
        self.length = np.sqrt(np.mean([(x - self.centre) ** 2 for x, _ in best], axis=0))
        w = [20 - 19 * real(k) / (len(best) - 1) for k in range(len(best))]
        a = np.array([t * self.features(x) for t, (x, _) in zip(w, best)])
        b = np.array([t * (f - self.base) for t, (_, f) in zip(w, best)])
        self.beta = (least_norm if len(a) < a.shape[1] else least_squares)(a, b)

    def __call__(self, x):
        return self.base + self.features(x) @ self.beta

    def tau(self, count):
        points = self.points[:count]
        if len(points) < 3:
            return 0.0
        both = [(np.sign(f - g), np.sign(self(x) - self(y))) for (x, f), (y, g) in itertools.combinations(points, 2)]
        s, t = np.array(both).T
        return float((s * t).sum() / math.sqrt((s * s).sum() * (t * t).sum()))

    def derivatives(self, x):
        """Slope and Hessian at a point."""
        n, u = self.n, (x - self.centre) / self.length
        h = np.zeros((n, n), dtype=make.REAL)
        if self.kind:
            h[np.diag_indices(n)] = 2 * self.beta[n + 1 : 2 * n + 1]
        if self.kind == 2:
            for (j, k), t in zip([(j, k) for j in range(n) for k in range(j)], self.beta[2 * n + 1 :]):
                h[j, k] = h[k, j] = t
        g = self.beta[1 : n + 1] + h @ u
        return g / self.length, h / np.outer(self.length, self.length)


def least_in_ball(g, h, r):
    """The least point of g z + z h z / 2 with |z| <= r."""
    n = len(g)
    step = lambda shift: -symmetric_function(h + shift * np.eye(n, dtype=make.REAL), lambda t: 1 / t) @ g
    values = []
    symmetric_function(h, lambda t: (values.append(t), t)[1])
    low = min(values[0])
    if low > 0 and norm(step(real(0))) <= r:
        return step(real(0))
    a, b = max(real(0), -low), max(real(0), -low) + norm(g) / r
    for _ in range(70):
        shift = (a + b) / 2
        a, b = (shift, b) if norm(step(shift)) > r else (a, shift)
    return step(b)


def lq_cma_es(f, x, p, draw, bounds):
    n, lam, fbest = len(x[0]), p["population"], math.inf
    mean = bounds.unfold(x[0]) if isinstance(bounds, Bent) else x[0]
    cma = Cma(mean, p, lam, first_sigma(p, bounds, 0.2), bounds)
    model = Model(n, lam)
    longest = np.sqrt(real(n)) + 2 * real(n) / (n + 2)
    while True:
        injected = None
        if cma.g:
            model.fit()
        points = cma.sample(draw, "run0/z")
        if cma.g:
            to = cma.sigma * cma.root
            g, h = model.derivatives(cma.m)
            injected = cma.m + to @ least_in_ball(to @ g, to @ h @ to, longest)
            inside = injected if bounds is None else np.clip(injected, *bounds)
            points[0] = inside
            y = ((bounds.unfold(inside) if isinstance(bounds, Bent) else inside) - cma.m) / cma.sigma
            cma.y[0] = y * min(real(1), longest / norm(cma.inverse_root @ y))
        values, done = np.full(lam, make.REAL(np.nan)), []
        k = int(1 + max(0.02 * lam, 4 - len(model.points)))
        while True:
            order = ranked(np.array([model(t) for t in points])) if len(model.points) > 1 else range(lam)
            asked = [i for i in order if i not in done][: k - len(done)]
            fx = f(points[asked])
            for i, value in zip(asked, fx):
                values[i] = value
                model.add(points[i], value)
            done += asked
            model.sort(len(done))
            model.fit()
            tau = model.tau(max(15, int(min(1.2 * len(done), 0.75 * lam))))
            if fx.min() < fbest:
                best, fbest = points[asked][np.argmin(fx)], fx.min()
            over = tau >= 0.85 or len(done) == lam
            if over:
                models = np.array([model(t) for t in points])
                cma.update(values if len(done) == lam else models - models.min() + values[done].min())
            state = dict(cma.state(points[asked], fx), g=best, run=1, tau=tau, kind=model.kind, all=len(done) == lam)
            yield state
            if over:
                break
            k = len(done) + math.ceil(len(done) / 2)


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
    head = dict(method=program.__name__, params=p, objective=objective, dim=start.shape[1])
    if "particles" in p:
        head["particles"] = p["particles"]
    if bounds is not None:
        head["bounds"] = bounds
        if isinstance(bounds, Clamped):
            head["outside"] = "clamp"
    size = write(name, dict(head, start=start, initial=initial), dict(steps=walked))
    print(f"{name:28} d={start.shape[1]} steps={steps:2} rounding {rounding:.0e} {size:6} bytes")
    return initial, walked


def one(seed, d, scale=2.0):
    return start_points(seed, 1, d, scale)


def cma_files():
    p = dict(particles=7, sigma=0.16)
    _, walked = trajectory("cma_es", cma_es, "rosenbrock", one(101, 4), p, 101, 14)
    _, stalled = trajectory("cma_es_stalled", cma_es, "sphere", one(102, 3, 50.0), dict(particles=9, sigma=0.02), 102, 12)
    assert not all(s["hs"] for s in stalled) and any(s["hs"] for s in stalled)
    trajectory("cma_es_passive", cma_es, "rastrigin25", one(103, 3), dict(p, active=False), 103, 10)
    _, lazy = trajectory("cma_es_lazy", cma_es, "rosenbrock", one(104, 12, 1.0), dict(particles=4, sigma=0.06), 104, 14)
    _, boxed = trajectory("cma_es_box", cma_es, "rastrigin25", one(105, 3), dict(particles=6, sigma=1.2), 105, 12, Bent([-2.0, 2.5]))
    assert all(-2.0 <= t <= 2.5 for s in boxed for t in s["x"].flat)
    assert any(s["left"] for s in boxed)
    clamped = Clamped([-2.0, 2.5])
    _, boxed = trajectory("cma_es_clamped", cma_es, "rastrigin25", one(109, 3), dict(particles=6, sigma=0.6), 109, 12, clamped)
    assert any(s["left"] for s in boxed)
    trajectory("sep_cma_es", sep_cma_es, "rosenbrock", one(106, 4), p, 106, 14)
    short = dict(particles=4, sigma=0.3, tol_x=0.4)
    _, runs = trajectory("ipop_cma_es", ipop_cma_es, "sphere", one(107, 2), short, 107, 16, Bent([-4.0, 3.0]))
    assert runs[-1]["run"] >= 3
    _, runs = trajectory("bipop_cma_es", bipop_cma_es, "sphere", one(108, 2), short, 108, 48, Bent([-4.0, 3.0]))
    sizes = [len(s["x"]) for s in runs]
    assert max(sizes) >= 16 and sum(f"run{s['run'] - 1}/regime" in s["draws"] for s in runs) >= 2, sizes


def model_files():
    p = dict(population=7, sigma=0.06)
    _, walked = trajectory("lq_cma_es", lq_cma_es, "rosenbrock", one(121, 3, 1.0), p, 121, 30)
    assert {s["kind"] for s in walked} == {0, 1, 2}
    assert any(s["all"] for s in walked) and sum(s["tau"] >= 0.85 and not s["all"] for s in walked) > 5
    _, walked = trajectory("lq_cma_es_rugged", lq_cma_es, "rastrigin25", one(124, 3), dict(p, sigma=0.3), 124, 24)
    assert sum(s["all"] for s in walked) >= 3
    _, walked = trajectory("lq_cma_es_box", lq_cma_es, "rosenbrock", one(141, 2, 0.5), dict(p, sigma=0.1), 141, 24, Bent([-1.0, 0.8]))
    assert any((abs(t) == 0.8).any() or (t == -1.0).any() for s in walked for t in s["x"])


def natural_files():
    p = dict(particles=7, sigma=0.15)
    trajectory("snes", snes, "rosenbrock", one(111, 4, 1.0), p, 111, 12)
    trajectory("xnes", xnes, "rosenbrock", one(112, 4, 1.0), p, 112, 12)
    trajectory("xnes_wide", xnes, "sphere", one(113, 6), dict(p, particles=4), 113, 12)  # fewer points than variables
    _, walked = trajectory("cr_fm_nes", cr_fm_nes, "rosenbrock", one(114, 7, 1.0), dict(p, particles=6), 114, 14)
    _, far = trajectory("cr_fm_nes_far", cr_fm_nes, "sphere", one(115, 7, 40.0), dict(p, particles=9), 115, 12)
    assert {0, 1} <= {s["phase"] for s in walked + far}
    adam = dict(particles=8, sigma=0.15, learning_rate=0.5, beta1=0.9, beta2=0.999, decay=0.97)
    trajectory("open_es", open_es, "rastrigin25", one(116, 4), adam, 116, 12)
    p = dict(particles=7, sigma=0.15, mean_rate=1.0, sigma_rate=0.4)
    _, walked = trajectory("pgpe", pgpe, "rosenbrock", one(117, 4, 1.0), p, 117, 14)
    assert any(s["capped"] for s in walked) and not all(s["capped"] for s in walked)


if __name__ == "__main__":
    cma_files()
    model_files()
    natural_files()
