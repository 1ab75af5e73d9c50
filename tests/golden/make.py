"""Golden trajectories: `python3 tests/golden/make.py` rewrites every tests/golden/<name>.json.

Needs Python 3 and NumPy, nothing else. Each program below is written from the equations of its method, on arrays that
hold the whole swarm (one particle a row); it draws its own random numbers, writes the draws into the file, and writes
the state after every step. The test replays the draws through the library and compares every number to 1e-12.

A trajectory file
-----------------
{"method", "params", "objective", "dim", "particles",
 "start":   n x d points, the memory y starts there, velocities and momenta start at zero,
 "initial": the state after the start has been evaluated (round 0),
 "steps":   [{"round": r, "draws": {label: [[draws of row 0], [draws of row 1], ...]}, ...state after the step...}, ...]}

* `round` counts the rounds of asking: round 0 evaluates the start, a step moves in round k+1 (k = 0, 1, ...); with the
  smooth memory a step takes two rounds, X' in 2k+1 and Y' in 2k+2, and the draws belong to 2k+1.
* A row of draws is in the order in which a sequential reader consumes it. `[]` is a row that was not drawn in this step,
  a label that is absent was not drawn at all. Uniform draws lie in [0, 1), normal draws are N(0, 1).
* The state is that AFTER the step, memories updated by the values at the new x. Names, where they exist: x positions,
  fx their values, v velocities, y memories, fy their values, m momenta, v_prev the velocities of one step before,
  g the best memory (consensus methods: the consensus that the next step will use). Further ones, for finding a fault:
  l the attractor of each particle's neighbourhood in the next step; informants[j] those who inform j, and informant[j]
  the best of them, in this step; exemplar, idle (steps without improvement) and forced (those who had only themselves
  to learn from); trial and ftrial, before selection; permutation and blocks, the order of a batched step and the
  consensus of each block; kicked; alpha (of the stored g) and sigma1, sigma2 (of this step).
* floor(u n) picks one of n. A permutation is Fisher-Yates from the back: p = 0, 1, ..; for i = n-1 down to 1:
  j = floor(u (i + 1)), swap p[i] and p[j]. Draws for the swarm as a whole are row 0 of their label.
* Every best is the best memory at the beginning of the step (synchronous), the lowest index on exact ties.
* Infinity and not-a-number are the strings "inf" and "nan".

Objectives: sphere = sum x^2; rastrigin25 = sum x^2 + 2.5 (1 - cos 2 pi x); rosenbrock = sum 100 (x'-x^2)^2 + (1-x)^2.

Other files
-----------
consensus.json        points, values, alpha -> consensus, computed with 80 decimal digits
empso_reference.json  the two forms of EMPSO in one dimension with fixed draws, exact rational arithmetic

Checks that run here, before a file is written: the rows of each trajectory improve their memories sometimes and
sometimes do not; no comparison is closer than 1e-9 unless it is an exact tie; the program run again in extended
precision gives the same numbers to 5e-14; special cases agree with the methods they reduce to.

Numbers are drawn by RandomState, whose stream NumPy has promised never to change.
"""

import decimal
import itertools
import json
import math
import pathlib
import zlib
from fractions import Fraction

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
REAL = np.float64  # the check in extended precision sets it to np.longdouble


def real(number):
    return REAL(number)


# ---------------------------------------------------------------------------------------------- objectives


def sphere(x):
    return (x * x).sum(axis=1)


def rastrigin25(x):
    return (x * x + 2.5 * (1.0 - np.cos(2.0 * real_pi() * x))).sum(axis=1)


def rosenbrock(x):
    here, there = x[:, :-1], x[:, 1:]
    return (100.0 * (there - here * here) ** 2 + (1.0 - here) ** 2).sum(axis=1)


def real_pi():
    return 4 * np.arctan(real(1))


OBJECTIVES = {f.__name__: f for f in (sphere, rastrigin25, rosenbrock)}


# ---------------------------------------------------------------------------------------------- random numbers


class Draws:
    """Random numbers that remember what was drawn: label -> row -> draws in order."""

    def __init__(self, seed):
        self.seed = seed
        self.streams = {}
        self.taken = {}

    def stream(self, label):
        """Each label has a stream of its own, so that a method that draws more draws the rest alike."""
        if label not in self.streams:
            self.streams[label] = np.random.RandomState([self.seed, zlib.crc32(label.encode())])
        return self.streams[label]

    def _keep(self, label, array):
        rows = self.taken.setdefault(label, {})
        for i, row in enumerate(array):
            rows.setdefault(i, []).extend(float(u) for u in row)
        return array.astype(REAL)

    def uniform(self, label, rows, columns):
        return self._keep(label, self.stream(label).random_sample((rows, columns)))

    def normal(self, label, rows, columns):
        return self._keep(label, self.stream(label).standard_normal((rows, columns)))

    def normals(self, label, row, n):
        """n more normal draws of a row."""
        z = self.stream(label).standard_normal(n)
        self.taken.setdefault(label, {}).setdefault(row, []).extend(float(t) for t in z)
        return z.astype(REAL)

    def one(self, label, row):
        """One more uniform draw of a row."""
        u = float(self.stream(label).random_sample())
        self.taken.setdefault(label, {}).setdefault(row, []).append(u)
        return u

    def index(self, label, row, n):
        """floor(u n) with one more uniform draw of a row."""
        return math.floor(self.one(label, row) * n)

    def permutation(self, label, row, n):
        """Fisher-Yates from the back, n - 1 uniform draws."""
        p = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.index(label, row, i + 1)
            p[i], p[j] = p[j], p[i]
        return p

    def take(self):
        taken, self.taken = self.taken, {}
        return {label: [rows.get(i, []) for i in range(max(rows) + 1)] for label, rows in taken.items()}


# ---------------------------------------------------------------------------------------------- shared pieces


def keep_better(x, fx, y, fy):
    """Memories: strictly better points replace them."""
    better = fx < fy
    return np.where(better[:, None], x, y), np.where(better, fx, fy)


def best(y, fy):
    """The best memory, the first on ties."""
    return y[np.argmin(fy)]


def norms(z):
    return np.sqrt((z * z).sum(axis=1, keepdims=True))


def pulls(p, draw, n, d):
    """r1 and r2: one draw a coordinate, or one a particle."""
    columns = 1 if p.get("draws", "per_coordinate") == "per_particle" else d
    return draw.uniform("r1", n, columns), draw.uniform("r2", n, columns)


# ---------------------------------------------------------------------------------------------- PSO and momentum


def neighbours(topology, n):
    """For each particle the indices it looks at, in ascending order."""
    if topology == "global":
        return [list(range(n)) for _ in range(n)]
    if topology == "ring":
        return [sorted({(i - 1) % n, i, (i + 1) % n}) for i in range(n)]
    if topology == "von_neumann":  # a torus, particles in row-major order
        columns = max(c for c in range(1, n + 1) if n % c == 0 and c * c <= n)
        rows = n // columns

        def at(row, column):
            return (row % rows) * columns + column % columns

        around = []
        for i in range(n):
            r, c = divmod(i, columns)
            around.append(sorted({i, at(r - 1, c), at(r + 1, c), at(r, c - 1), at(r, c + 1)}))
        return around
    raise ValueError(topology)


def pso(f, x, p, draw):
    """v' = w v + c1 r1 (y - x) + c2 r2 (l - x), x' = x + v'  (eqs 1, 2); l = the best memory among the neighbours."""
    n, d = x.shape
    w, c1, c2 = real(p["inertia"]), real(p["c1"]), real(p["c2"])
    topology = p.get("topology", "global")
    around = neighbours(topology, n)
    v, y, fy = np.zeros_like(x), x, f(x)

    def attractors():
        return np.array([y[min(near, key=lambda j: fy[j])] for near in around])  # min keeps the first on ties

    def state():
        s = dict(x=x, fx=fx, v=v, y=y, fy=fy, g=best(y, fy))
        return s if topology == "global" else dict(s, l=attractors())

    fx = fy
    yield state()
    while True:
        r1, r2 = pulls(p, draw, n, d)
        v = w * v + c1 * r1 * (y - x) + c2 * r2 * (attractors() - x)  # eq. (1)
        x = x + v  # eq. (2)
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield state()


def pso_constriction(f, x, p, draw):
    """v' = chi (v + c1 r1 (y - x) + c2 r2 (g - x)), chi = 2 / |2 - phi - sqrt(phi^2 - 4 phi)|, phi = c1 + c2 > 4."""
    n, d = x.shape
    c1, c2 = real(p["c1"]), real(p["c2"])
    phi = c1 + c2
    chi = 2.0 / abs(2.0 - phi - np.sqrt(phi * phi - 4.0 * phi))
    v, y, fy = np.zeros_like(x), x, f(x)
    yield dict(x=x, fx=fy, v=v, y=y, fy=fy, g=best(y, fy))
    while True:
        r1, r2 = pulls(p, draw, n, d)
        v = chi * (v + c1 * r1 * (y - x) + c2 * r2 * (best(y, fy) - x))
        x = x + v
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, y=y, fy=fy, g=best(y, fy))


def mpso(f, x, p, draw):
    """v^{t+1} = (1 - lambda) [v^t + c1 r1 (y - x) + c2 r2 (g - x)] + lambda v^{t-1}  (eq. 3), x' = x + v'."""
    n, d = x.shape
    c1, c2, lam = real(p["c1"]), real(p["c2"]), real(p["lambda"])
    v, v_prev, y, fy = np.zeros_like(x), np.zeros_like(x), x, f(x)
    yield dict(x=x, fx=fy, v=v, v_prev=v_prev, y=y, fy=fy, g=best(y, fy))
    while True:
        r1, r2 = pulls(p, draw, n, d)
        pull = c1 * r1 * (y - x) + c2 * r2 * (best(y, fy) - x)
        v, v_prev = (1.0 - lam) * (v + pull) + lam * v_prev, v  # eq. (3)
        x = x + v
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, v_prev=v_prev, y=y, fy=fy, g=best(y, fy))


def empso(f, x, p, draw):
    """Form A: M' = beta M + (1 - beta) v (eq. 5); v' = M' + c1 r1 (y - x) + c2 r2 (g - x) (eq. 4); x' = x + v' (eq. 2)."""
    n, d = x.shape
    c1, c2, beta = real(p["c1"]), real(p["c2"]), real(p["beta"])
    v, m, y, fy = np.zeros_like(x), np.zeros_like(x), x, f(x)
    yield dict(x=x, fx=fy, v=v, m=m, y=y, fy=fy, g=best(y, fy))
    while True:
        r1, r2 = pulls(p, draw, n, d)
        m = beta * m + (1.0 - beta) * v  # eq. (5), with the old velocity
        v = m + c1 * r1 * (y - x) + c2 * r2 * (best(y, fy) - x)  # eq. (4)
        x = x + v  # eq. (2)
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, m=m, y=y, fy=fy, g=best(y, fy))


def empso_printed(f, x, p, draw):
    """Form B, Algorithm 1 as printed: the momentum takes in the NEW velocity, after the move."""
    n, d = x.shape
    c1, c2, beta = real(p["c1"]), real(p["c2"]), real(p["beta"])
    v, m, y, fy = np.zeros_like(x), np.zeros_like(x), x, f(x)
    yield dict(x=x, fx=fy, v=v, m=m, y=y, fy=fy, g=best(y, fy))
    while True:
        r1, r2 = pulls(p, draw, n, d)
        v = beta * m + (1.0 - beta) * v + c1 * r1 * (y - x) + c2 * r2 * (best(y, fy) - x)
        x = x + v
        m = beta * m + (1.0 - beta) * v
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, m=m, y=y, fy=fy, g=best(y, fy))


def adaswarm(f, x, p, draw):
    """Row 0 is w: w' = w - lr mhat / (sqrt(shat) + eps), Adam on kappa (w - g), no velocity. The other rows: EMPSO (4)-(6).

    kappa = (c1 + c2) / (2 eta), or (mean c1 r1 + mean c2 r2) / eta with the means over all rows; eta = 1 - beta unless given.
    """
    n, d = x.shape
    c1, c2, beta = real(p["c1"]), real(p["c2"]), real(p["beta"])
    eta = 1.0 - beta if p.get("eta") is None else real(p["eta"])
    lr, beta1, beta2, eps = (real(p[s]) for s in ("learning_rate", "beta1", "beta2", "epsilon"))
    v, m, y, fy = np.zeros_like(x), np.zeros_like(x), x, f(x)
    mean, square = np.zeros(d, dtype=REAL), np.zeros(d, dtype=REAL)
    yield dict(x=x, fx=fy, v=v, m=m, y=y, fy=fy, g=best(y, fy))
    for t in itertools.count(1):
        r1, r2 = pulls(p, draw, n, d)
        g, w = best(y, fy), x[0]
        kappa = (c1 + c2) / 2 / eta if p["kappa"] == "expected" else (c1 * r1.mean() + c2 * r2.mean()) / eta
        slope = kappa * (w - g)  # minus eq. (15)
        mean = beta1 * mean + (1 - beta1) * slope
        square = beta2 * square + (1 - beta2) * slope**2
        mhat, shat = (mean / (1 - beta1**t), square / (1 - beta2**t)) if p["text"] == "corrected" else (mean, square)
        w = w - lr * mhat / (np.sqrt(shat) + eps)
        m = beta * m + (1.0 - beta) * v  # eq. (5)
        v = m + c1 * r1 * (y - x) + c2 * r2 * (g - x)  # eq. (4)
        v[0] = m[0] = 0
        x = x + v  # eq. (2)
        x[0] = w
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, m=m, y=y, fy=fy, g=best(y, fy))


def eigenvectors(a):
    """Columns: eigenvectors of a symmetric matrix, largest eigenvalue first (cyclic Jacobi, any precision)."""
    d, a, e = len(a), a.copy(), np.eye(len(a), dtype=REAL)
    for _ in range(60):
        for i in range(d):
            for j in range(i + 1, d):
                if a[i, j] != 0:
                    angle = np.arctan2(2 * a[i, j], a[j, j] - a[i, i]) / 2
                    q = np.eye(d, dtype=REAL)
                    q[i, i] = q[j, j] = np.cos(angle)
                    q[i, j], q[j, i] = np.sin(angle), -np.sin(angle)
                    a, e = q.T @ a @ q, e @ q
    value = np.diag(a)
    order = np.argsort(-value)
    gaps = -np.diff(value[order])
    assert np.abs(a - np.diag(value)).max() < 1e-14 * np.abs(value).max()
    assert gaps.min() > 0.02 * np.abs(value).max(), "eigenvalues too close for a comparison to 1e-12"
    assert np.allclose(value[order], np.linalg.eigvalsh((e @ a @ e.T).astype(float))[::-1], rtol=1e-10)
    return e[:, order]


def rempso(f, x, p, draw):
    """v' = M' + A^T diag(c1 r1) A (y - x) + A^T diag(c2 r2) A (g - x), M' = beta M + (1 - beta) v; x' = x + v'.

    rotation "givens": A turns int(fraction d) disjoint pairs of axes, drawn at random, by theta
             "covariance": the rows of A are the eigenvectors of the covariance of the memories, largest eigenvalue first
             "literal": the products of A^-1 Phi A taken element by element, with the A of "givens"
    """
    n, d = x.shape
    c1, c2, beta = real(p["c1"]), real(p["c2"]), real(p["beta"])
    v, m, y, fy = np.zeros_like(x), np.zeros_like(x), x, f(x)

    def givens(row):
        theta, pairs = real(p["theta"]), int(p["fraction"] * d)
        axis = draw.permutation("rotation", row, d)
        a = np.eye(d, dtype=REAL)
        for k in range(pairs):
            i, j = axis[2 * k], axis[2 * k + 1]
            a[i, i] = a[j, j] = np.cos(theta)
            a[i, j], a[j, i] = -np.sin(theta), np.sin(theta)
        return a

    yield dict(x=x, fx=fy, v=v, m=m, y=y, fy=fy, g=best(y, fy))
    while True:
        if p["rotation"] == "covariance":
            spread = y - y.mean(axis=0)
            a = [eigenvectors(spread.T @ spread / n).T] * n
        elif p["redraw"] == "particle":
            a = [givens(i) for i in range(n)]
        else:
            a = [givens(0)] * n
        for rotation in a:
            assert np.allclose((rotation.T @ rotation).astype(float), np.eye(d), atol=1e-13)
        r1, r2 = draw.uniform("r1", n, d), draw.uniform("r2", n, d)
        g = best(y, fy)
        m = beta * m + (1.0 - beta) * v
        v = m.copy()
        for i in range(n):
            phi1, phi2 = np.diag(c1 * r1[i]), np.diag(c2 * r2[i])
            if p["rotation"] == "literal":
                inverse = a[i].T
                operator1, operator2 = inverse * phi1 * a[i], inverse * phi2 * a[i]
            else:
                operator1, operator2 = a[i].T @ phi1 @ a[i], a[i].T @ phi2 @ a[i]
            v[i] += operator1 @ (y[i] - x[i]) + operator2 @ (g - x[i])
        x = x + v
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, m=m, y=y, fy=fy, g=best(y, fy))


# ---------------------------------------------------------------------------------------------- consensus methods


def consensus(points, values, alpha, previous=None):
    """(1.4): sum_i y_i w_i / sum_i w_i, w_i = exp(-alpha (E_i - min E)). NaN counts as +inf, and +inf weighs nothing."""
    values = np.where(np.isnan(values), np.inf, values)
    lowest = values.min()
    if np.isinf(lowest):
        return previous
    if np.isinf(alpha):
        w = (values == lowest).astype(REAL)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            w = np.where(np.isinf(values), 0.0, np.exp(-real(alpha) * (values - lowest)))
    return (w[:, None] * points).sum(axis=0) / w.sum()


def diffusion(noise, z, xi):
    """(1.6) D(z) xi; the anisotropic D(z) = diag(|z|) has the same law as diag(z)."""
    return np.abs(z) * xi if noise == "anisotropic" else norms(z) * xi


def sde_step(p, x, v, y, c, xi1, xi2, sigma1, sigma2):
    """One move of (X, V) towards the memories y and the consensus c; xi1 = None where lambda1 = sigma1 = 0."""
    m, gamma, dt = real(p["m"]), real(p["gamma"]), real(p["dt"])
    lambda1, lambda2 = real(p["lambda1"]), real(p["lambda2"])
    drift = lambda2 * (c - x)
    noise = sigma2 * diffusion(p["noise"], c - x, xi2)
    if xi1 is not None:
        drift = drift + lambda1 * (y - x)
        noise = noise + sigma1 * diffusion(p["noise"], y - x, xi1)
    if p["scheme"] == "explicit":
        return x + dt * v, v + (dt / m) * (-gamma * v + drift) + (np.sqrt(dt) / m) * noise  # both with the OLD V
    den = m + gamma * dt
    v = (m / den) * v + (dt / den) * drift + (np.sqrt(dt) / den) * noise  # (4.15)
    return x + dt * v, v  # (4.15), with the NEW V


def pso_sde(f, x, p, draw):
    """The mean-field PSO: (4.15) or the explicit scheme; memory sharp (1.3), smooth (1.2) or none (2.1); kick; cooling."""
    n, d = x.shape
    dt, memory = real(p["dt"]), p["memory"]
    own = p["lambda1"] != 0 or p["sigma1"] != 0
    every = p.get("cooling")
    v, y, fy = np.zeros_like(x), x, f(x)
    fx = fy

    def cooled(iterations):
        """alpha, sigma1, sigma2 after so many iterations: e finished epochs."""
        e = iterations // every if every else 0
        return (float(p["alpha"]) * 2.0**e, *(real(p[s]) / np.log2(real(e + 2)) for s in ("sigma1", "sigma2")))

    def state(k, c, **more):
        s = dict(x=x, fx=fx, v=v, g=c) if memory == "none" else dict(x=x, fx=fx, v=v, y=y, fy=fy, g=c)
        if every:
            _, sigma1, sigma2 = cooled(max(k - 1, 0))
            s.update(alpha=cooled(k)[0], sigma1=sigma1, sigma2=sigma2)
        return dict(s, **more)

    c, before = consensus(y, fy, cooled(0)[0]), None
    yield state(0, c)
    for k in itertools.count():
        _, sigma1, sigma2 = cooled(k)
        more = {}
        if p.get("kick"):
            still = before is not None and np.abs(c - before).max() < p["kick_tolerance"]
            more["kicked"] = bool(still)
            if still:
                v = v + max(sigma1, sigma2) * np.sqrt(dt) * draw.normal("kick", n, d)
        xi1 = draw.normal("xi1", n, d) if own else None
        xi2 = draw.normal("xi2", n, d)
        x, v = sde_step(p, x, v, y, c, xi1, xi2, sigma1, sigma2)
        fx = f(x)
        if memory == "sharp":
            y, fy = keep_better(x, fx, y, fy)  # (1.3)
        elif memory == "smooth":
            s = 0.5 * (1.0 + real(p["theta"]) + np.tanh(real(p["beta"]) * (fy - fx)))  # S(X', Y)
            y = y + real(p["kappa"]) * dt * (x - y) * s[:, None]
            fy = f(y)
            more["round"] = 2 * k + 1
        else:
            y, fy = x, fx
        before, c = c, consensus(y, fy, cooled(k + 1)[0])
        yield state(k + 1, c, **more)


def pso_sde_batched(f, x, p, draw):
    """Algorithm 1, lines 11 to 13: a random partition of the swarm; the consensus (5.2) of each block moves that block
    (partial) or everybody (full). Memories and their values are those of the beginning of the iteration throughout."""
    n, d = x.shape
    alpha, size = float(p["alpha"]), p["batch"]
    sigma1, sigma2 = real(p["sigma1"]), real(p["sigma2"])
    assert n % size == 0
    v, y, fy = np.zeros_like(x), x, f(x)
    yield dict(x=x, fx=fy, v=v, y=y, fy=fy, g=consensus(y, fy, alpha))
    while True:
        order = draw.permutation("batch", 0, n)
        blocks = [order[b : b + size] for b in range(0, n, size)]
        centres = [consensus(y[block], fy[block], alpha) for block in blocks]  # (5.2)
        if p["update"] == "partial":
            c = np.empty_like(x)
            for block, centre in zip(blocks, centres):
                c[block] = centre
            xi1, xi2 = draw.normal("xi1", n, d), draw.normal("xi2", n, d)
            x, v = sde_step(p, x, v, y, c, xi1, xi2, sigma1, sigma2)
        else:
            for b, centre in enumerate(centres):
                xi1, xi2 = draw.normal(f"full{b}/xi1", n, d), draw.normal(f"full{b}/xi2", n, d)
                x, v = sde_step(p, x, v, y, centre, xi1, xi2, sigma1, sigma2)
        fx = f(x)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, y=y, fy=fy, g=consensus(y, fy, alpha), permutation=order, blocks=centres)


def cbo(f, x, p, draw):
    """X' = X + lambda dt (c - X) + sigma sqrt(dt) D(c - X) xi, c the consensus of X (2.2)."""
    n, d = x.shape
    lam, sigma, dt, alpha = real(p["lambda"]), real(p["sigma"]), real(p["dt"]), float(p["alpha"])
    fx = f(x)
    while True:
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c)
        xi = draw.normal("xi2", n, d)
        x = x + lam * dt * (c - x) + sigma * np.sqrt(dt) * diffusion(p["noise"], c - x, xi)
        fx = f(x)


# ---------------------------------------------------------------------------------------------- SPSO 2011, CLPSO


def spso2011(f, x, p, draw):
    """x'_r in the ball round G of radius |G - x|; v' = w v + x'_r - x; x' = x + v'.

    G = (x + (x + c (p - x)) + (x + c (l - x))) / 3, or (x + (x + c (p - x))) / 2 where the particle informs itself best.
    """
    n, d = x.shape
    w, c = 1.0 / (2.0 * np.log(real(2))), 0.5 + np.log(real(2))
    v, y, fy = np.zeros_like(x), x, f(x)
    improved = False
    yield dict(x=x, fx=fy, v=v, y=y, fy=fy, g=best(y, fy))
    while True:
        if not improved:  # also the first time
            informants = [{j} for j in range(n)]
            for i in range(n):
                for _ in range(p["informants"]):
                    informants[draw.index("informants", i, n)].add(i)
            informants = [sorted(who) for who in informants]
        leader = [min(who, key=lambda i: fy[i]) for who in informants]  # the lowest index on ties
        own, others = x + c * (y - x), x + c * (y[leader] - x)
        alone = (np.array(leader) == np.arange(n))[:, None]
        centre = np.where(alone, (x + own) / 2.0, (x + own + others) / 3.0)
        direction = draw.normal("direction", n, d)
        radius = draw.uniform("radius", n, 1) * norms(centre - x)
        inside = centre + radius * direction / norms(direction)
        v = w * v + inside - x
        x = x + v
        fx = f(x)
        before = fy.min()
        y, fy = keep_better(x, fx, y, fy)
        improved = bool(fy.min() < before)
        yield dict(x=x, fx=fx, v=v, y=y, fy=fy, g=best(y, fy), informants=informants, informant=leader)


def clpso(f, x, p, draw):
    """v'_d = w v_d + c r_d (y_{f_i(d), d} - x_d), x' = x + v'; w falls linearly from 0.9 to 0.4 over the planned run."""
    n, d = x.shape
    c, planned, gap = real(p["c"]), p["iterations"], p["gap"]
    ramp = np.arange(n).astype(REAL) * 10 / (n - 1)
    learn = real(0.05) + real(0.45) * (np.exp(ramp) - 1.0) / (np.exp(real(10)) - 1.0)  # Pc_i
    v, y, fy = np.zeros_like(x), x, f(x)
    idle = np.zeros(n, dtype=int)
    exemplar = np.full((n, d), -1)
    yield dict(x=x, fx=fy, v=v, y=y, fy=fy, g=best(y, fy))
    for k in itertools.count():
        forced = []
        for i in range(n):
            if k > 0 and idle[i] < gap:
                continue
            idle[i] = 0
            for j in range(d):
                if draw.one("exemplar", i) < learn[i]:
                    a, b = draw.index("exemplar", i, n), draw.index("exemplar", i, n)
                    exemplar[i, j] = b if fy[b] < fy[a] else a
                else:
                    exemplar[i, j] = i
            if (exemplar[i] == i).all():
                j = draw.index("exemplar", i, d)
                other = draw.index("exemplar", i, n - 1)
                exemplar[i, j] = other + 1 if other >= i else other
                forced.append(i)
        w = max(real(0.9) - real(0.5) * k / planned, real(0.4))
        v = w * v + c * draw.uniform("r", n, d) * (y[exemplar, np.arange(d)] - x)
        x = x + v
        fx = f(x)
        idle = np.where(fx < fy, 0, idle + 1)
        y, fy = keep_better(x, fx, y, fy)
        yield dict(x=x, fx=fx, v=v, y=y, fy=fy, g=best(y, fy), exemplar=exemplar.copy(), idle=idle, forced=forced)


# ---------------------------------------------------------------------------------------------- differential evolution


def de(f, x, p, draw):
    """rand/1/bin: mutant x_r1 + F (x_r2 - x_r3); trial takes coordinate j of it if u_j < CR or j = jrand; it replaces
    the parent unless it is worse."""
    n, d = x.shape
    scale, rate = real(p["F"]), real(p["CR"])
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        picked, sure = [], []
        for i in range(n):
            left = [j for j in range(n) if j != i]
            row = []
            for _ in range(3):
                k = draw.index("pick", i, len(left))
                row.append(left[k])
                left[k] = left[-1]
                left.pop()
            picked.append(row)
            sure.append(draw.index("pick", i, d))
        r1, r2, r3 = np.array(picked).T
        mutant = x[r1] + scale * (x[r2] - x[r3])
        cross = (draw.uniform("cross", n, d) < rate) | (np.arange(d) == np.array(sure)[:, None])
        trial = np.where(cross, mutant, x)
        ft = f(trial)
        accept = ft <= fx
        x, fx = np.where(accept[:, None], trial, x), np.where(accept, ft, fx)
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- running and writing


def mirror(t, low, high):
    """Points that left their bounds mirrored at them, as often as needed."""
    if math.isinf(low):
        return t
    while (t < low).any() or (t > high).any():
        t = np.where(t < low, 2 * low - t, t)
        t = np.where(t > high, 2 * high - t, t)
    return t


def start_points(seed, n, d, scale=2.0, stretch=None, mirror=()):
    """Uniform in [-scale, scale]^d; mirror: pairs (i, j), row j becomes minus row i (an exact tie for even functions)."""
    x = np.random.RandomState(seed + 1000).uniform(-scale, scale, (n, d))
    if stretch is not None:
        x = x * np.array(stretch)
    for i, j in mirror:
        x[j] = -x[i]
    return x


def trace(program, objective, start, p, seed, steps):
    """The initial state, and after each step the draws and the state."""
    draw = Draws(seed)
    states = itertools.islice(program(OBJECTIVES[objective], start.astype(REAL), p, draw), steps + 1)
    initial = next(states)
    assert not draw.taken
    return initial, [dict({"round": k + 1, "draws": draw.take()}, **state) for k, state in enumerate(states)]


def plain(value):
    """Plain Python numbers for JSON; infinities and NaN as strings."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(list(value))
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def write(name, head, lists):
    """One line a key, one line an element of the long lists."""
    lines = [f"{json.dumps(k)}: {json.dumps(plain(v), allow_nan=False)}" for k, v in head.items()]
    for k, items in lists.items():
        body = ",\n".join(json.dumps(plain(item), allow_nan=False) for item in items)
        lines.append(f"{json.dumps(k)}: [\n{body}\n]")
    text = "{" + ",\n".join(lines) + "}\n"
    json.loads(text)
    assert len(text) < 150_000, name
    (HERE / f"{name}.json").write_text(text)
    return len(text)


def leaves(tree):
    if isinstance(tree, dict):
        for v in tree.values():
            yield from leaves(v)
    elif isinstance(tree, (list, tuple, np.ndarray)):
        for v in tree:
            yield from leaves(v)
    elif not isinstance(tree, (str, type(None))):
        yield tree


def gap(a, b):
    """The largest difference of two traces, absolute below 1 and relative above."""
    a, b = list(leaves(a)), list(leaves(b))
    assert len(a) == len(b)
    return max(float(abs(real(s) - real(t)) / max(real(1), abs(real(s)))) for s, t in zip(a, b))


def check_comparisons(initial, steps):
    """Memories improve and do not; nothing is decided by less than 1e-9 except an exact tie."""

    def apart(a, b):
        difference = abs(a - b) / np.maximum(1.0, abs(a))
        assert ((difference == 0) | (difference > 1e-9)).all(), "a comparison is too close"

    better = worse = 0
    before = initial
    for s in steps:
        old, new = ("fy", "fx") if "fy" in s else ("fx", "ftrial") if "ftrial" in s else (None, None)
        if old:
            apart(s[new], before[old])
            better += (s[new] < before[old]).sum()
            worse += (s[new] > before[old]).sum()
            apart(s[old][:, None] + 0 * s[old], s[old][None, :] + 0 * s[old][:, None])
        before = s
    assert "fy" not in initial or (better >= 3 and worse >= 3), (better, worse)
    assert max(float(np.abs(s["x"]).max()) for s in steps) < 1e2, "the swarm runs away"
    return int(better), int(worse)


def trajectory(name, program, objective, start, p, seed, steps, method=None):
    """Makes one file and returns its trace."""
    global REAL
    initial, walked = trace(program, objective, start, p, seed, steps)
    better, worse = check_comparisons(initial, walked)
    REAL = np.longdouble
    try:
        precise = trace(program, objective, start, p, seed, steps)
        rounding = gap(precise, (initial, walked))
    finally:
        REAL = np.float64
    assert rounding < 5e-14, f"{name}: rounding {rounding:.1e}"
    n, d = start.shape
    head = dict(method=method or program.__name__, params=p, objective=objective, dim=d, particles=n)
    size = write(name, dict(head, start=start, initial=initial), dict(steps=walked))
    print(f"{name:28} n={n} d={d} steps={steps:2} better/worse {better:2}/{worse:2} rounding {rounding:.0e} {size:6} bytes")
    return initial, walked


# ---------------------------------------------------------------------------------------------- the files


def particle_files():
    paper = dict(c1=0.8, c2=0.9, beta=0.9)
    default = dict(c1=1.2, c2=1.2, beta=0.2)
    vanilla = dict(inertia=0.7298, c1=1.49618, c2=1.49618)

    # rows 1 and 4 are mirror images and the best of the start: the first of them leads
    start = start_points(11, 6, 3, mirror=[(1, 4)])
    start[[1, 4]] *= 0.3
    p = dict(vanilla, draws="per_coordinate", topology="global")
    initial, _ = trajectory("pso", pso, "rastrigin25", start, p, 11, 10)
    assert initial["fy"][1] == initial["fy"][4] == initial["fy"].min()
    p = dict(vanilla, draws="per_particle", topology="global")
    trajectory("pso_scalar", pso, "sphere", start_points(12, 5, 3), p, 12, 8)
    # the tied rows 1 and 3 are both neighbours of row 2
    start = start_points(13, 7, 3, mirror=[(1, 3)])
    start[[1, 3]] *= 0.5
    p = dict(vanilla, draws="per_coordinate", topology="ring")
    initial, walked = trajectory("pso_ring", pso, "rastrigin25", start, p, 13, 10)
    assert initial["fy"][1] == initial["fy"][3] < initial["fy"][2] and (initial["l"][2] == start[1]).all()
    assert any((s["l"] != s["g"]).any() for s in walked)
    p = dict(vanilla, draws="per_coordinate", topology="von_neumann")
    _, walked = trajectory("pso_von_neumann", pso, "rastrigin25", start_points(14, 6, 3), p, 14, 10)
    assert any((s["l"] != s["g"]).any() for s in walked)
    p = dict(c1=2.05, c2=2.05, draws="per_coordinate")
    start = start_points(15, 7, 3, scale=0.8)
    _, constricted = trajectory("pso_constriction", pso_constriction, "rosenbrock", start, p, 15, 8)
    chi = 2 / abs(2 - 4.1 - math.sqrt(4.1**2 - 4 * 4.1))
    assert abs(chi - 0.7298437881) < 1e-9
    same = dict(inertia=chi, c1=2.05 * chi, c2=2.05 * chi)
    assert gap(constricted, trace(pso, "rosenbrock", start, same, 15, 8)[1]) < 1e-12

    p = dict(c1=0.8, c2=0.9, draws="per_coordinate")
    trajectory("mpso", mpso, "rastrigin25", start_points(21, 6, 3), dict(p, **{"lambda": 0.3}), 21, 10)
    p = dict(c1=0.8, c2=0.9, draws="per_particle")
    trajectory("mpso_scalar", mpso, "sphere", start_points(22, 5, 4), dict(p, **{"lambda": 0.1}), 22, 8)

    trajectory("empso", empso, "rastrigin25", start_points(31, 7, 3), dict(default, draws="per_coordinate"), 31, 10)
    trajectory("empso_paper", empso, "rosenbrock", start_points(32, 6, 3, scale=1.0), dict(paper, draws="per_coordinate"), 32, 10)
    scalar = dict(default, draws="per_particle")
    start = start_points(33, 5, 4)
    trajectory("empso_scalar", empso, "sphere", start, scalar, 33, 8)
    trajectory("empso_printed", empso_printed, "rastrigin25", start_points(34, 6, 3), dict(paper, draws="per_coordinate"), 34, 10)
    trajectory("empso_printed_scalar", empso_printed, "sphere", start_points(35, 5, 3), dict(default, draws="per_particle"), 35, 8)

    adam = dict(learning_rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8, text="corrected", kappa="expected")
    start = start_points(38, 6, 3)
    assert rastrigin25(start).argmin() != 0
    trajectory("adaswarm", adaswarm, "rastrigin25", start, dict(default, **adam, draws="per_coordinate"), 38, 12)
    p = dict(paper, **dict(adam, kappa="paper", beta1=0.7, beta2=0.9, learning_rate=0.3, text="uncorrected"), draws="per_particle")
    trajectory("adaswarm_paper", adaswarm, "sphere", start_points(37, 5, 3), dict(p, eta=0.25), 37, 10)

    turned = dict(default, rotation="givens", theta=math.pi / 5, fraction=0.4, redraw="iteration")
    start = start_points(41, 6, 5)
    trajectory("rempso", rempso, "rastrigin25", start, turned, 41, 8)
    trajectory("rempso_particle", rempso, "rastrigin25", start_points(42, 5, 5), dict(turned, **paper, redraw="particle"), 42, 8)
    stretched = start_points(43, 7, 3, scale=1.0, stretch=[3.0, 1.2, 0.4])
    trajectory("rempso_covariance", rempso, "rastrigin25", stretched, dict(default, rotation="covariance"), 43, 6)
    trajectory("rempso_literal", rempso, "rastrigin25", start_points(44, 6, 5), dict(turned, rotation="literal"), 44, 8)
    # with no axis turned the method is EMPSO
    unturned = trace(rempso, "rastrigin25", start, dict(turned, fraction=0.0), 41, 8)
    momentum = trace(empso, "rastrigin25", start, default, 41, 8)
    for a, b in zip(unturned[1], momentum[1]):
        assert a["draws"]["r1"] == b["draws"]["r1"] and gap([a["x"], a["m"]], [b["x"], b["m"]]) < 1e-12

    p = dict(informants=3, velocity="zero")
    _, walked = trajectory("spso2011", spso2011, "rastrigin25", start_points(51, 7, 3), p, 51, 12)
    redrawn = ["informants" in s["draws"] for s in walked]
    assert redrawn[0] and 2 <= sum(redrawn) <= 10
    alone = [j == i for s in walked for i, j in enumerate(s["informant"])]
    assert any(alone) and not all(alone)
    _, walked = trajectory("spso2011_sphere", spso2011, "sphere", start_points(52, 6, 4), p, 52, 8)
    assert not all("informants" in s["draws"] for s in walked)

    for name, objective, seed, n, d in (("clpso", "rastrigin25", 61, 6, 3), ("clpso_sphere", "sphere", 62, 5, 4)):
        p = dict(c=1.49445, iterations=10, gap=2)
        _, walked = trajectory(name, clpso, objective, start_points(seed, n, d), p, seed, 12)
        chosen = [[bool(row) for row in s["draws"].get("exemplar", [])] for s in walked]
        assert all(chosen[0]) and any(any(rows) and not all(rows) for rows in chosen[1:])
        assert any(s["forced"] for s in walked) and any(len(s["forced"]) < n for s in walked)
        assert any((s["exemplar"] != np.arange(n)[:, None]).sum(axis=1).max() > 1 for s in walked)

    start = start_points(71, 7, 3)
    _, walked = trajectory("de", de, "rastrigin25", start, dict(F=0.5, CR=0.9), 71, 10)
    accepted = [s["ftrial"] == s["fx"] for s in walked]
    assert np.any(accepted) and not np.all(accepted)
    trajectory("de_low", de, "rosenbrock", start_points(72, 6, 4, scale=1.2), dict(F=0.7, CR=0.3), 72, 10)


def consensus_files():
    base = dict(m=0.2, gamma=0.8, dt=0.25, lambda1=0.0, lambda2=1.0, sigma1=0.0, sigma2=0.8, alpha=2.0)
    base.update(noise="anisotropic", memory="sharp", scheme="semi_implicit")
    both = dict(base, lambda1=0.4, sigma1=0.4 * 0.8)

    trajectory("pso_sde", pso_sde, "rastrigin25", start_points(81, 6, 3), both, 81, 10)
    trajectory("pso_sde_isotropic", pso_sde, "rastrigin25", start_points(82, 5, 3), dict(both, noise="isotropic"), 82, 10)
    trajectory("pso_sde_one_normal", pso_sde, "rosenbrock", start_points(83, 7, 3, scale=1.0), dict(base, alpha=0.5), 83, 10)
    trajectory("pso_sde_memoryless", pso_sde, "rastrigin25", start_points(84, 6, 3), dict(base, memory="none"), 84, 10)
    smooth = dict(both, memory="smooth", beta=0.6, theta=0.05, kappa=1.6)
    trajectory("pso_sde_smooth", pso_sde, "rastrigin25", start_points(85, 5, 3), smooth, 85, 8)
    explicit = dict(both, scheme="explicit", m=0.5, gamma=0.5)
    trajectory("pso_sde_explicit", pso_sde, "rastrigin25", start_points(86, 6, 3), explicit, 86, 10)

    # rows 0 and 3 are the best of the start and mirror images: the consensus is first exactly between them
    start = start_points(87, 6, 3, mirror=[(0, 3)])
    start[[0, 3]] *= 0.3
    initial, walked = trajectory("pso_sde_infinite", pso_sde, "rastrigin25", start, dict(both, alpha="inf"), 87, 10)
    assert (initial["g"] == 0).all() and initial["fy"][0] == initial["fy"].min()
    assert all((s["g"] == best(s["y"], s["fy"])).all() for s in walked[-3:])

    batched = dict(both, batch=2, update="partial")
    _, walked = trajectory("pso_sde_partial", pso_sde_batched, "rastrigin25", start_points(88, 6, 3), batched, 88, 10, "pso_sde")
    assert len({tuple(s["permutation"]) for s in walked}) > 5
    batched = dict(both, dt=0.1, alpha=1.0, batch=2, update="full")
    trajectory("pso_sde_full", pso_sde_batched, "rastrigin25", start_points(89, 6, 3), batched, 89, 6, "pso_sde")

    kicked = dict(both, alpha=1e15, kick=True, kick_tolerance=1e-5)
    _, walked = trajectory("pso_sde_kick", pso_sde, "rastrigin25", start_points(90, 5, 3), kicked, 90, 12)
    kicks = [s["kicked"] for s in walked]
    assert not kicks[0] and 2 <= sum(kicks) <= 9, kicks
    centres = np.array([s["g"] for s in walked])
    moved = np.abs(np.diff(centres, axis=0)).max(axis=1)
    assert ((moved == 0) | (moved > 1e-3)).all()

    cooling = dict(both, alpha=0.5, cooling=3)
    _, walked = trajectory("pso_sde_cooling", pso_sde, "rastrigin25", start_points(91, 7, 3), cooling, 91, 10)
    assert [s["alpha"] for s in walked] == [0.5, 0.5, 1, 1, 1, 2, 2, 2, 4, 4]

    plain_cbo = {"lambda": 1.0, "sigma": 0.8, "dt": 0.25, "alpha": 2.0, "noise": "anisotropic"}
    start = start_points(95, 6, 3)
    _, hopped = trajectory("cbo", cbo, "rastrigin25", start, plain_cbo, 95, 10)
    round_cbo = dict(plain_cbo, noise="isotropic", alpha=0.3, sigma=0.5)
    trajectory("cbo_isotropic", cbo, "rosenbrock", start_points(96, 5, 3, scale=1.0), round_cbo, 96, 8)
    # without mass the memoryless swarm is CBO, with the same draws
    massless = dict(base, m=0.0, gamma=1.0, memory="none")
    _, walked = trajectory("pso_sde_massless", pso_sde, "rastrigin25", start, massless, 95, 10)
    for a, b in zip(hopped, walked):
        assert a["draws"] == b["draws"] and gap([a["x"], a["fx"], a["g"]], [b["x"], b["fx"], b["g"]]) < 1e-12


# ---------------------------------------------------------------------------------------------- tables


def exact_consensus(points, values, alpha, previous):
    """(1.4) with 80 decimal digits; alpha = inf is the mean of the argmin set; no finite value keeps the old consensus."""
    decimal.getcontext().prec = 80
    decimal.getcontext().Emin = -(10**9)
    finite = [(p, decimal.Decimal(v)) for p, v in zip(points, values) if math.isfinite(v)]
    if not finite:
        return previous
    lowest = min(v for _, v in finite)
    if math.isinf(alpha):
        weights = [decimal.Decimal(v == lowest) for _, v in finite]
    else:
        exponents = [-decimal.Decimal(alpha) * (v - lowest) for _, v in finite]
        weights = [e.exp() if e > -10**6 else decimal.Decimal(0) for e in exponents]
    total = sum(weights)
    return [float(sum(w * decimal.Decimal(p[j]) for w, (p, _) in zip(weights, finite)) / total) for j in range(len(points[0]))]


def consensus_table():
    nan, inf = math.nan, math.inf
    four = [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [-4.0, 0.125, 2.0], [1.5, 1.5, 1.5]]
    values = [0.7, 0.2, 1.3, 0.45]
    five = four + [[-0.5, 0.75, -3.0]]
    random = np.random.RandomState(7)
    many = random.standard_normal((40, 2)).tolist()
    of_many = (random.random_sample(40) * 3).tolist()
    cases = [
        ("plain", four, values, 1.0),
        ("alpha_small", four, values, 1e-3),
        ("alpha_zero_is_the_mean", four, values, 0.0),
        ("alpha_hundred", four, values, 100.0),
        ("alpha_1e15_is_the_argmin", four, values, 1e15),
        ("alpha_infinite_is_the_argmin", four, values, inf),
        ("alpha_infinite_tie_of_two", four, [0.7, 0.2, 1.3, 0.2], inf),
        ("alpha_infinite_all_tied", four, [0.2] * 4, inf),
        ("alpha_1e15_tie_of_two", four, [0.7, 0.2, 1.3, 0.2], 1e15),
        ("alpha_1e15_nearly_tied", four, [0.0, 2.0**-50, 2.0**-49, 1.0], 1e15),
        ("one_particle", four[:1], [3.0], 5.0),
        ("one_particle_alpha_infinite", four[:1], [3.0], inf),
        ("shifted_down", four, [v - 1000.0 for v in (0.75, 0.25, 1.25, 0.5)], 2.0),
        ("shifted_up", four, [v + 1000.0 for v in (0.75, 0.25, 1.25, 0.5)], 2.0),
        ("unshifted", four, [0.75, 0.25, 1.25, 0.5], 2.0),
        ("large_values", four, [1e6 + 0.75, 1e6 + 0.25, 1e6 + 1.25, 1e6 + 0.5], 1e2),
        ("all_weights_would_underflow", four, [800.0, 801.0, 802.0, 803.0], 1.0),
        ("all_weights_would_overflow", four, [-800.0, -801.0, -802.0, -803.0], 1.0),
        ("with_nan", five, values + [nan], 1.0),
        ("nan_first", five, [nan] + values, 1.0),
        ("with_infinity", five, values + [inf], 1.0),
        ("with_infinity_alpha_infinite", five, values + [inf], inf),
        ("with_nan_alpha_infinite", five, [nan] + values, inf),
        ("with_infinity_alpha_1e15", five, [inf] + values, 1e15),
        ("with_1e300", five, values + [1e300], 1.0),
        ("with_minus_1e300", five, values + [-1e300], 1.0),
        ("with_both_1e300", five, values[:3] + [1e300, -1e300], 1e15),
        ("with_both_1e300_alpha_infinite", five, values[:3] + [1e300, -1e300], inf),
        ("with_everything", five, [nan, inf, 1e300, -1e300, 0.2], 1.0),
        ("all_at_1e300", four, [1e300] * 4, 1.0),
        ("one_finite", four, [inf, nan, 2.0, inf], 10.0),
        ("alpha_zero_with_infinity", five, values + [inf], 0.0),
        ("alpha_zero_with_nan", five, values + [nan], 0.0),
        ("none_finite_keeps_the_old", four, [inf, nan, inf, nan], 1.0),
        ("none_finite_alpha_infinite", four, [inf] * 4, inf),
        ("forty_points", many, of_many, 4.0),
        ("forty_points_alpha_1e15", many, of_many, 1e15),
    ]
    notes = {
        "alpha_zero_with_infinity": "a point of infinite value weighs nothing, for alpha = 0 too (the limit alpha -> 0+)",
        "alpha_zero_with_nan": "NaN counts as +inf, so it weighs nothing either",
        "none_finite_keeps_the_old": "expected is previous",
        "none_finite_alpha_infinite": "expected is previous",
    }
    rows = []
    for name, points, vals, alpha in cases:
        previous = [0.1 * (j + 1) for j in range(len(points[0]))]
        expected = exact_consensus(points, vals, alpha, previous)
        ours = consensus(np.array(points), np.array(vals), alpha, np.array(previous))
        assert np.abs(ours - np.array(expected)).max() < 1e-13, name
        row = dict(name=name, points=points, values=vals, alpha=alpha, previous=previous, expected=expected)
        rows.append(dict(row, note=notes[name]) if name in notes else row)
    size = write("consensus", dict(about="points, values, alpha -> consensus, from 80 decimal digits"), dict(cases=rows))
    print(f"{'consensus':28} {len(rows)} cases {size:30} bytes")


def empso_reference():
    """One particle in one dimension, p = g = 0 held fixed, x0 = 1, v0 = M0 = 0, r1 = r2 = 1/2."""
    beta, c1, c2, r = Fraction(9, 10), Fraction(8, 10), Fraction(9, 10), Fraction(1, 2)
    phi = c1 * r + c2 * r
    printed = {
        "empso": ["0.15", "-0.0625", "-0.107125", "-0.10850625", "-0.0996078125"],
        "empso_printed": ["0.15", "-0.139", "-0.14461", "-0.1081314", "-0.086579786"],
    }
    forms = []
    for form, expected in printed.items():
        x, v, m = Fraction(1), Fraction(0), Fraction(0)
        rows = dict(x=[], v=[], m=[])
        for _ in range(10):
            if form == "empso":
                m = beta * m + (1 - beta) * v  # eq. (4)
                v = m - phi * x  # eq. (5) with p = g = 0
                x = x + v  # eq. (6)
            else:
                v = beta * m + (1 - beta) * v - phi * x
                x = x + v
                m = beta * m + (1 - beta) * v
            for key, value in zip("xvm", (x, v, m)):
                rows[key].append(value)
        for ours, theirs in zip(rows["x"], expected):
            digits = len(theirs.split(".")[1])
            assert abs(ours - Fraction(theirs)) <= Fraction(1, 2 * 10**digits), (form, float(ours), theirs)
        decimals = {key: [float(q) for q in values] for key, values in rows.items()}
        forms.append(dict(method=form, printed=[float(t) for t in expected], **decimals))
    head = dict(params=dict(c1=0.8, c2=0.9, beta=0.9), r1=0.5, r2=0.5, x0=1.0, v0=0.0, m0=0.0, p=0.0, g=0.0)
    size = write("empso_reference", head, dict(forms=forms))
    print(f"{'empso_reference':28} {len(forms)} forms {size:30} bytes")


if __name__ == "__main__":
    particle_files()
    consensus_files()
    consensus_table()
    empso_reference()
