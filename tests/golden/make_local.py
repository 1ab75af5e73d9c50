"""Golden trajectories of the local searches: `python3 tests/golden/make_local.py` rewrites their json files.

Written from the equations in the headers of the methods' papers and files, as plain closed loops that call the objective;
the library asks and is told. Needs Python 3 and NumPy. Nothing is drawn. Objectives and the form of the files are those of
make.py; the state after a step is the best point evaluated so far (`g`), the value where the search stands (`f`), and what
the method shows besides. `round` is the round of asking in which a step began.

Differences divide rounding errors by their interval, parabolas through close points by their distance, and a valley multiplies
what is left by its condition. How much that is, is measured: every program runs again with a last bit of each point and value
changed at random, and `rounding` says of each step how far such runs have come apart so far. The test allows ten times that, at
least 1e-12. The trajectories of quasi-Newton are made with values said to be inexact (`noise`), so that intervals are long.
"""

import itertools
import json
import math
import pathlib

import numpy as np

from make import OBJECTIVES

HERE = pathlib.Path(__file__).resolve().parent
EPSILON = 2.0**-52


# A generator while the effect of rounding is measured.
SHAKEN = None


def shaken(numbers, terms=1):
    """A last bit of every number, or of the terms of size 1 or so that it is the sum of."""
    if SHAKEN is None:
        return numbers
    return numbers + terms * EPSILON * SHAKEN.uniform(-1, 1, numbers.shape) * np.maximum(1, np.abs(numbers))


class Objective:
    """Counts rounds and keeps the best point."""

    def __init__(self, name):
        self.f = OBJECTIVES[name]
        self.rounds = 0
        self.best, self.x = math.inf, None

    def __call__(self, points):
        points = np.atleast_2d(np.array(points, dtype=float))
        values = shaken(self.f(shaken(points)), terms=4)
        self.rounds += 1
        for x, value in zip(points, values):
            if value < self.best:
                self.best, self.x = float(value), x.copy()
        return [float(v) for v in values]


# ---------------------------------------------------------------------------------------------- quasi-Newton


def box_step(g, b, lower, upper):
    """Eq. (3) by trying every choice of variables at their bounds; returns p and the free variables."""
    best = (math.inf, None, None)
    for sides in itertools.product((-1, 0, 1), repeat=len(g)):
        p = np.array([lower[j] if s < 0 else upper[j] if s > 0 else 0.0 for j, s in enumerate(sides)])
        if not np.all(np.isfinite(p)):
            continue
        free = [j for j, s in enumerate(sides) if s == 0]
        if free:
            fixed = [j for j in range(len(g)) if j not in free]
            rhs = -g[free] - b[np.ix_(free, fixed)] @ p[fixed]
            p[free] = np.linalg.solve(b[np.ix_(free, free)], rhs)
        if np.any(p < lower) or np.any(p > upper):
            continue
        value = g @ p + 0.5 * p @ b @ p
        if value < best[0]:
            best = (value, p, free)
    return best[1], best[2]


def vertex(t, f):
    """Of the parabola through three points."""
    rows = np.array([[u * u, u, 1.0] for u in t])
    a, b, _ = np.linalg.solve(rows, np.array(f))
    return -b / (2 * a) if a > 0 else t[2]


def quasi_newton(params, objective, start, bounds, steps):
    f, d = Objective(objective), len(start)
    lower, upper = np.full(d, bounds[0]), np.full(d, bounds[1])
    width = upper - lower
    length = lambda x: np.where(np.isfinite(width), width, np.maximum(np.abs(x), 1.0))
    error = max(EPSILON, params["noise"])
    x = np.array(start)
    value = f(x)[0]
    initial = {"g": list(x)}
    b, steep, g, g_old, x_old, central = None, np.zeros(d), np.zeros(d), None, None, False
    out, t, begun = [], 1.0, f.rounds
    while len(out) < steps:
        # The gradient, eqs (1) and (2).
        e, points, tags = 2 * error * abs(value), [], []
        for j in range(d):
            l = length(x)[j]
            c = max(b[j, j], steep[j]) if b is not None else None
            if c is not None:
                h = (3 * e * 0.01 * l / c) ** (1 / 3) if central else 2 * math.sqrt(e / c)
            else:
                h = error ** (1 / 3) * 0.1 * l if central else max(params["interval"] * l, math.sqrt(error) * abs(x[j]))
            h = max(min(h, 1e-3 * l), 8 * EPSILON * max(abs(x[j]), 1e-3 * l))
            up, down = upper[j] - x[j], x[j] - lower[j]
            h = min(h, max(up, down))
            sign = -1.0 if g[j] > 0 else 1.0
            if (up if sign > 0 else down) < h:
                sign = -sign
            offsets = [sign * h]
            if central:
                offsets.append(-sign * h if (down if sign > 0 else up) >= h else 0.5 * sign * h)
            for o in offsets:
                point = x.copy()
                point[j] = min(max(x[j] + o, lower[j]), upper[j])
                points.append(point)
                tags.append(j)
        values = f(points)
        g = np.zeros(d)
        for j in range(d):
            rows = [r for r, tag in enumerate(tags) if tag == j]
            a = [points[r][j] - x[j] for r in rows]
            q = [(values[r] - value) / u for r, u in zip(rows, a)]
            g[j] = q[0] if len(q) == 1 else (q[0] * a[1] - q[1] * a[0]) / (a[1] - a[0])
        # The update, eq. (5).
        if x_old is not None:
            s, y = x - x_old, g - g_old
            steep = np.abs(y) / math.sqrt(s @ s)
            sy = s @ y
            if b is None and sy > 1e-10 * math.sqrt((s @ s) * (y @ y)):
                b = 1e-5 * sy / (s @ s) * np.eye(d)
            if b is not None:
                bs = b @ s
                theta = 1.0 if sy >= 0.2 * (s @ bs) else 0.8 * (s @ bs) / (s @ bs - sy)
                r = theta * y + (1 - theta) * bs
                b = b - np.outer(bs, bs) / (s @ bs) + np.outer(r, r) / (s @ r)
        # The step, eq. (3).
        if b is None:
            p = np.where((x <= lower) & (g > 0) | (x >= upper) & (g < 0), 0.0, -g * length(x) ** 2)
            p = params["first_step"] * p / np.max(np.abs(p) / length(x))
            p = np.clip(x + p, lower, upper) - x
        else:
            p, free = box_step(g, b, lower - x, upper - x)
        slope = g @ p
        if b is not None:
            predicted = -slope - 0.5 * p @ b @ p
            inverse = np.linalg.inv(b[np.ix_(free, free)])
            weight = sum(b[j, j] * inverse[k, k] for k, j in enumerate(free)) if free else 4 * d
            if not central and predicted <= 10 * e * weight:
                central, x_old, g_old = True, None, None
                continue
            if central and predicted <= e:
                break
        # The line search, eq. (4).
        at = lambda t: np.clip(x + t * p, lower, upper)
        t, best, beyond, tried = 1.0, (0.0, value), None, 0
        while True:
            new = f(at(t))[0]
            tried += 1
            if new < best[1]:
                if best[0] > t:
                    beyond = best
                best = (t, new)
            elif t > best[0] and (beyond is None or t < beyond[0]):
                beyond = (t, new)
            if best[0] == 0.0:
                v = -slope * t * t / (2 * (new - value - slope * t))
                t = min(max(v, 0.05 * t), 0.5 * t)
                assert tried < 24
                continue
            s = best[0]
            if beyond:
                v = vertex([0.0, s, beyond[0]], [value, best[1], beyond[1]])
            else:
                bend = best[1] - value - slope * s
                v = -slope * s * s / (2 * bend) if bend > 0 else math.inf
            v = min(max(v, 0.1 * s), s + 0.9 * (beyond[0] - s) if beyond else 8 * s)
            content = abs(v - s) <= 0.1 * v or t != s
            if content and not (tried < 3 and best[1] > value + 1e-4 * s * slope):
                break
            if v == t:
                break
            t = v
        x_old, g_old = x, g
        x, value = at(best[0]), best[1]
        out.append({"round": begun, "draws": {}, "g": list(f.x), "f": value})
        begun = f.rounds
    return initial, out, central


# ---------------------------------------------------------------------------------------------- coordinate search


class Profile:
    """Heights along one variable; the next point to look at."""

    def __init__(self, t):
        self.points = {t: 0.0}
        self.interpolate, self.settled = False, False
        self.brackets = [math.inf, math.inf]

    def best(self):
        return min(sorted(self.points), key=lambda t: self.points[t])

    def add(self, t, f):
        old = self.points[self.best()]
        self.points.setdefault(t, f)
        if f < old:
            self.settled = False

    def choose(self, lower, upper, noise, sharpness, limit):
        if lower >= upper or len(self.points) >= limit:
            return None
        base = self.best()
        length = upper - lower if math.isfinite(upper - lower) else max(abs(base), 1.0)
        if len(self.points) < 3:
            for end in (lower if math.isfinite(lower) else base - length, upper if math.isfinite(upper) else base + length):
                if end not in self.points:
                    return end
        self.interpolate = not self.interpolate
        for interpolate in (self.interpolate, not self.interpolate):
            t = self.vertex(noise, length) if interpolate else self.step(sharpness, length)
            if t is None and interpolate:
                t = self.beyond(lower, upper)
            if t is not None and t not in self.points:
                return t
        return None

    def beyond(self, lower, upper):
        ts = sorted(self.points)
        span = ts[-1] - ts[0]
        far = {ts[0]: ts[0] - span, ts[-1]: ts[-1] + span}.get(self.best())
        return far if far is not None and lower < far < upper else None

    def vertex(self, noise, length):
        """Eq. (3) with its safeguards."""
        if self.settled:
            return None
        ts = sorted(self.points)
        b = self.best()
        k = ts.index(b)
        if k in (0, len(ts) - 1):
            t = b + 0.1 * (ts[1 if k == 0 else k - 1] - b)
            self.settled = abs(t - b) <= 1e-12 * length
            return None if self.settled else t
        a, c = ts[k - 1], ts[k + 1]
        fa, fb, fc = (self.points[t] for t in (a, b, c))
        bend = ((fc - fb) / (c - b) - (fb - fa) / (b - a)) / (c - a)
        slow = c - a > 0.5 * self.brackets[0]
        self.brackets = [self.brackets[1], c - a]
        wide = b + 0.381966 * (c - b) if c - b > b - a else b - 0.381966 * (b - a)
        if not bend > 0:
            self.settled = c - a <= 1e-12 * length or fa == fb == fc
            return None if self.settled else wide
        v = 0.5 * (a + b) - 0.5 * (fb - fa) / (b - a) / bend
        gain = bend * (v - b) ** 2
        shallow = min(fa, fc) - fb <= noise
        if gain <= noise and (shallow or bend * (c - a) ** 2 <= 1e3 * noise) or c - a <= 1e-14 * length:
            self.settled = True
            return None
        least = min(1e-3 * (c - a), 4 * max(math.sqrt(noise / bend), 1e-15 * length))
        if slow:
            t = wide
        elif abs(v - b) < least:
            t = b + least if c - b > b - a else b - least
        else:
            t = v
        return min(max(t, a + 1e-3 * (b - a)), c - 1e-3 * (c - b))

    def step(self, sharpness, length):
        """Eqs (1) and (2)."""
        ts = sorted(self.points)
        f = [self.points[t] for t in ts]
        low = min(f)
        delta = 1e-2 * (sum(f) / len(f) - low)
        d = [
            ((math.sqrt(f[k] - low + delta) + math.sqrt(f[k + 1] - low + delta)) / (ts[k + 1] - ts[k])) ** 2
            if ts[k + 1] - ts[k] > 1e-9 * length
            else math.inf
            for k in range(len(ts) - 1)
        ]
        easiest = int(np.argmin(d))
        k = ts.index(self.best())
        curvature = math.inf
        if 0 < k < len(ts) - 1:
            curvature = np.polyfit([ts[i] - ts[k] for i in (k - 1, k, k + 1)], [f[i] - f[k] for i in (k - 1, k, k + 1)], 2)[0]
        if self.settled and d[easiest] > sharpness * curvature or not math.isfinite(d[easiest]):
            return None
        return 0.5 * (ts[easiest] + ts[easiest + 1])


def coordinate_search(objective, start, bounds, steps, sharpness=50.0, limit=500):
    f = Objective(objective)
    lower, upper = bounds
    x, d = list(start), len(start)
    value = f([x])[0]
    initial = {"g": list(f.x)}
    profiles = [Profile(t) for t in x]
    following, expected, alone, cycle, largest = list(x), value, None, value, abs(value)
    out = []
    while len(out) < steps:
        begun = f.rounds
        noise = 4 * EPSILON * abs(value)
        moved = following != x
        asked, points = [], [list(following)] if moved else []
        while True:
            for j in range(d) if alone is None else [alone]:
                t = profiles[j].choose(lower, upper, noise, sharpness, limit)
                if t is not None:
                    asked.append(j)
                    points.append([t if i == j else following[i] for i in range(d)])
            if points:
                break
            if alone is None:
                return initial, out, True
            alone = (alone + 1) % d
            if alone == 0:
                if cycle - value <= noise:
                    return initial, out, False
                cycle = value
            profiles[alone] = Profile(x[alone])
        values = f(points)
        largest = max([largest] + [abs(v) for v in values])
        if moved:
            change = abs(value - expected)
            tolerance = 1e-6 * change + 1e2 * EPSILON * largest
            if abs(values[0] - expected) > tolerance:
                k = int(np.argmin(values))
                if values[k] < value:
                    x, value = list(points[k]), values[k]
                following, expected, cycle, alone = list(x), value, value, 0
                profiles = [Profile(t) for t in x]
                out.append({"round": begun, "draws": {}, "g": list(f.x), "f": value})
                continue
            x, value = list(following), values[0]
        for j, point, v in zip(asked, points[len(points) - len(asked) :], values[len(points) - len(asked) :]):
            profiles[j].add(point[j], profiles[j].points[x[j]] + (v - value))
        following = [profile.best() for profile in profiles]
        expected = value + sum(p.points[p.best()] - p.points[x[j]] for j, p in enumerate(profiles))
        out.append({"round": begun, "draws": {}, "g": list(f.x), "f": value})
    return initial, out, alone is None


# ---------------------------------------------------------------------------------------------- Nelder-Mead


def nelder_mead(params, objective, start, bounds, steps):
    f, n = Objective(objective), len(start)
    lower, upper = bounds
    width = upper - lower
    clip = lambda p: np.clip(p, lower, upper)
    m = max(n, 2)
    alpha, beta, gamma, delta = 1.0, 1 + 2 / m, 3 / 4 - 1 / (2 * m), 1 - 1 / m
    simplex = [np.array(start)]
    initial_value = f(simplex)[0]
    initial = {"g": list(f.x)}
    for j in range(n):
        h = params["edge"] * (width if math.isfinite(width) else max(abs(start[j]), 1.0))
        point = np.array(start)
        point[j] += h if point[j] + h <= upper else -h
        simplex.append(clip(point))
    begun = f.rounds
    pairs = list(zip([initial_value] + f(simplex[1:]), simplex))
    out, kinds = [], []
    while len(out) < steps:
        pairs.sort(key=lambda pair: pair[0])
        out.append({"round": begun, "draws": {}, "g": list(f.x), "f": pairs[0][0]})
        begun = f.rounds
        worst_f, worst = pairs[-1]
        c = sum(x for _, x in pairs[:-1]) / n
        r = clip(c + alpha * (c - worst))
        fr = f(r)[0]
        if fr < pairs[0][0]:
            e = clip(c + beta * (r - c))
            fe = f(e)[0]
            pairs[-1] = (fe, e) if fe < fr else (fr, r)
            kinds.append("expand" if fe < fr else "reflect")
            continue
        if fr < pairs[-2][0]:
            pairs[-1] = (fr, r)
            kinds.append("reflect")
            continue
        if fr < worst_f:
            o = clip(c + gamma * (r - c))
            fo = f(o)[0]
            taken, kind = fo <= fr, "outside"
        else:
            o = clip(c - gamma * (c - worst))
            fo = f(o)[0]
            taken, kind = fo < worst_f, "inside"
        if taken:
            pairs[-1] = (fo, o)
            kinds.append(kind)
            continue
        best = pairs[0][1]
        moved = [best + delta * (x - best) for _, x in pairs[1:]]
        # Ties aside, the library keeps its rows in place; the order within one round does not matter.
        pairs = [pairs[0]] + list(zip(f(moved), moved))
        kinds.append("shrink")
    return initial, out, set(kinds)


# ---------------------------------------------------------------------------------------------- trust region


class Interpolation:
    """Quadratic models through 2 n + 1 points, in y = (z - base) / scale; every system is solved anew."""

    def __init__(self, z, f, base, scale):
        self.z, self.f, self.base, self.scale = [np.array(p) for p in z], list(f), np.array(base), scale
        self.c, self.g, self.h = min(f), np.zeros(len(base)), np.zeros((len(base), len(base)))
        for t in range(len(f)):
            self.add(t, f[t] - min(f))

    def y(self, z):
        return (np.array(z) - self.base) / self.scale

    def system(self):
        y = np.array([self.y(z) for z in self.z])
        m, n = y.shape
        w = np.zeros((m + n + 1, m + n + 1))
        w[:m, :m] = 0.5 * (y @ y.T) ** 2
        w[m, :m] = w[:m, m] = 1.0
        w[m + 1 :, :m] = y.T
        w[:m, m + 1 :] = y
        return y, w

    def lagrange(self, t):
        """Eq. (2) as (c, g, H)."""
        y, w = self.system()
        m, n = y.shape
        e = np.zeros(m + n + 1)
        e[t] = 1.0
        s = np.linalg.solve(w, e)
        return s[m], s[m + 1 :], np.einsum("s,si,sj->ij", s[:m], y, y)

    def add(self, t, factor):
        c, g, h = self.lagrange(t)
        self.c, self.g, self.h = self.c + factor * c, self.g + factor * g, self.h + factor * h

    def at(self, y):
        return self.c + self.g @ y + 0.5 * y @ self.h @ y

    def sigma(self, z):
        """Eq. (5) for every point."""
        ys, w = self.system()
        m, y = len(ys), self.y(z)
        v = np.concatenate([0.5 * (ys @ y) ** 2, [1.0], y])
        k = np.linalg.inv(w)
        beta = 0.5 * (y @ y) ** 2 - v @ k @ v
        return np.diag(k)[:m] * beta + (k @ v)[:m] ** 2

    def replace(self, t, z, f):
        gap = f - self.at(self.y(z))
        self.z[t], self.f[t] = np.array(z), f
        self.add(t, gap)

    def move(self, base, scale):
        y, factor = self.y(base), scale / self.scale
        self.c, self.g, self.h = self.at(y), factor * (self.g + self.h @ y), factor**2 * self.h
        self.base, self.scale = np.array(base), scale


def conjugate_gradients(q, best, delta, lower, upper):
    """Eq. (4): returns y; a variable that meets a bound stays there."""
    n, reach = len(best), delta / q.scale
    lo = np.maximum((lower - q.base) / q.scale, best - reach)
    hi = np.minimum((upper - q.base) / q.scale, best + reach)
    y = best.copy()
    g = q.g + q.h @ y
    free = ~((g > 0) & (y <= lo) | (g < 0) & (y >= hi))
    start = (g[free] ** 2).sum()
    while True:
        r = np.where(free, -(q.g + q.h @ y), 0.0)
        d = r.copy()
        hit = False
        for _ in range(n):
            if not r @ r > 1e-20 * start:
                return y
            full = (r @ r) / (d @ q.h @ d) if d @ q.h @ d > 0 else math.inf
            steps = [((hi if d[i] > 0 else lo)[i] - y[i]) / d[i] if d[i] != 0 else math.inf for i in range(n)]
            i = int(np.argmin(steps))
            limit = max(steps[i], 0.0)
            product = q.h @ d
            y = np.clip(y + min(full, limit) * d, lo, hi)
            if full >= limit:
                y[i] = hi[i] if d[i] > 0 else lo[i]
                free[i] = False
                hit = True
                break
            old = r @ r
            r = r - np.where(free, full * product, 0.0)
            d = r + (r @ r) / old * d
        if not hit:
            return y


def trust_region(params, objective, start, bounds, steps):
    f, n = Objective(objective), len(start)
    bounded = math.isfinite(bounds[1] - bounds[0])
    unit = np.full(n, bounds[1] - bounds[0]) if bounded else np.maximum(np.abs(start), 1.0)
    lower, upper = np.full(n, bounds[0]) / unit, np.full(n, bounds[1]) / unit
    value = lambda z: f(np.array(z) * unit)[0]
    rho = delta = params["radius"]
    z0 = np.array(start) / unit
    first = value(z0)
    initial = {"g": list(f.x)}
    offsets = [[], []]
    for j in range(n):
        up, down = upper[j] - z0[j], z0[j] - lower[j]
        a = rho if up >= rho else -rho if down >= rho else up if up >= down else -down
        same, other = (up, down) if a > 0 else (down, up)
        b = -a if other >= rho else 2 * a if same >= 2 * abs(a) else 0.5 * a
        offsets[0].append(a)
        offsets[1].append(b)
    points = [z0] + [z0 + np.eye(n)[j] * o[j] for o in offsets for j in range(n)]
    values = [first] + f([z * unit for z in points[1:]])
    best = int(np.argmin(values))
    q = Interpolation(points, values, points[best], delta)
    out = []
    mode, kinds, begun = "step", set(), 1
    length = lambda a, b: float(np.max(np.abs(np.array(a) - np.array(b))))

    def improvement():
        away = [length(z, q.z[best]) for z in q.z]
        t = int(np.argmax(away))
        if away[t] <= 2 * delta:
            return None
        radius = max(min(0.1 * away[t], 0.5 * delta), rho) / q.scale
        c, g, h = q.lagrange(t)
        y = q.y(q.z[best])
        slope = g + h @ y
        lo, hi = (lower - q.base) / q.scale, (upper - q.base) / q.scale
        corners = []
        for sign in (1.0, -1.0):
            step = np.where(slope >= 0, sign * radius, -sign * radius)
            to = np.where((y + step < lo) | (y + step > hi), y - step, y + step)
            corners.append(np.clip(to, lo, hi))
        size = [abs(c + g @ p + 0.5 * p @ h @ p) for p in corners]
        return t, corners[0] if size[0] >= size[1] else corners[1]

    def record(begun):
        out.append({"round": begun, "draws": {}, "g": list(f.x), "f": q.f[best]})

    def draw_in():
        nonlocal rho, delta
        last = params["accuracy"]
        ratio = rho / last
        assert ratio > 1, "the walk ends"
        smaller = last if ratio <= 16 else math.sqrt(ratio) * last if ratio <= 250 else 0.1 * rho
        delta, rho = max(0.5 * rho, smaller), smaller
        q.move(q.z[best], delta)
        kinds.add("draw in")

    pending = None
    while len(out) < steps:
        # What to evaluate next.
        if pending is None:
            if np.max(np.abs(q.y(q.z[best]))) > 10:
                q.move(q.z[best], delta)
                kinds.add("far")
            while True:
                y = conjugate_gradients(q, q.y(q.z[best]), delta, lower, upper)
                s = q.scale * length(y, q.y(q.z[best]))
                if s >= 0.5 * rho:
                    break
                pending = improvement()
                if pending:
                    break
                draw_in()
        record(begun)
        begun = f.rounds
        if pending:
            t, y = pending
            kinds.add("geometry")
            z = np.clip(q.base + q.scale * y, lower, upper)
            fz = value(z)
            q.replace(t, z, fz)
            best = t if fz < q.f[best] else best
            pending = None
            continue
        z = np.clip(q.base + q.scale * y, lower, upper)
        predicted = q.at(q.y(q.z[best])) - q.at(y)
        fz, old = value(z), q.f[best]
        ratio = (old - fz) / predicted if predicted > 0 else -1.0
        delta = 0.5 * min(delta, s) if ratio <= 0.1 else max(s, 0.5 * delta) if ratio <= 0.7 else max(2 * s, 0.5 * delta)
        delta = rho if delta <= 1.5 * rho else delta
        centre = z if fz < old else q.z[best]
        weights = [
            abs(sigma) * max(1.0, (length(p, centre) / delta) ** 4) if fz < old or t != best else -1.0
            for t, (sigma, p) in enumerate(zip(q.sigma(z), q.z))
        ]
        t = int(np.argmax(weights))
        q.replace(t, z, fz)
        best = t if fz < old else best
        kinds.add("failed" if ratio < 0.1 else "step")
        if ratio < 0.1:
            pending = improvement()
            if pending is None and ratio <= 0 and max(delta, s) <= rho:
                draw_in()
    return initial, out, kinds


# ---------------------------------------------------------------------------------------------- files


def measured(program, least=0.0, runs=12):
    """What the program returns, its steps with the effect of rounding, at least `least`."""
    global SHAKEN
    initial, out, note = program()
    others = []
    for seed in range(runs):
        SHAKEN = np.random.RandomState(seed)
        others.append(program()[1])
    SHAKEN = None
    worst = least
    for k, step in enumerate(out):
        for other in others:
            assert other[k]["round"] == step["round"], "a decision hangs on a last bit"
            pairs = zip(other[k]["g"] + [other[k]["f"]], step["g"] + [step["f"]])
            worst = max([worst] + [abs(a - b) / max(1.0, abs(b)) for a, b in pairs])
        step["rounding"] = worst
    return initial, out, note


def write(name, method, params, objective, start, bounds, initial, steps):
    document = {
        "method": method,
        "params": params,
        "objective": objective,
        "dim": len(start),
        "start": [start],
        "initial": initial,
        "steps": steps,
    }
    if math.isfinite(bounds[0]):
        document["bounds"] = bounds
    (HERE / f"{name}.json").write_text(json.dumps(document) + "\n")
    print(f"{name}: {len(steps)} steps, f = {steps[-1]['f']:.3g}, rounding {steps[-1]['rounding']:.1g}")


def main():
    exact = {"noise": 1e-7, "interval": 1e-3, "first_step": 0.2}
    free = [-math.inf, math.inf]
    for name, objective, start, bounds, steps, noise, ends in [
        ("quasi_newton", "rosenbrock", [-1.2, 1.0, 0.5, -0.3], free, 14, 1e-7, None),
        ("quasi_newton_box", "rosenbrock", [-1.2, 0.6, 0.5, -0.3], [-2.0, 0.7], 12, 1e-6, None),
        ("quasi_newton_central", "rastrigin25", [0.9, 1.2, -2.1], [-4.0, 5.0], 9, 1e-4, None),
    ]:
        params = dict(exact, noise=noise)
        initial, out, central = measured(lambda: quasi_newton(params, objective, start, bounds, steps))
        assert ends is None or central == ends, name
        write(name, "quasi_newton", params, objective, start, bounds, initial, out)
    for name, objective, start, bounds, steps, needed in [
        ("nelder_mead", "rosenbrock", [-1.2, 1.0, 0.5, -0.3], free, 120, {"reflect", "expand", "outside", "inside"}),
        ("nelder_mead_box", "rastrigin25", [0.9, 1.2, -2.1], [-2.3, 1.25], 60, {"inside", "shrink"}),
    ]:
        params = {"edge": 0.3}
        initial, out, kinds = measured(lambda: nelder_mead(params, objective, start, bounds, steps))
        assert needed <= kinds, (name, kinds)
        write(name, "nelder_mead", params, objective, start, bounds, initial, out)
    for name, objective, start, bounds, steps in [
        ("trust_region", "rosenbrock", [-0.52, -1.07, -1.0], free, 45),
        ("trust_region_box", "rosenbrock", [-1.2, 0.6, 0.65], [-2.0, 0.7], 30),
    ]:
        params = {"radius": 0.1, "accuracy": 1e-3}
        # The library updates the inverse of W by eq. (6) and carries the errors of all updates along; here it is solved anew.
        initial, out, kinds = measured(lambda: trust_region(params, objective, start, bounds, steps), least=1e-10)
        assert kinds >= {"step", "failed"}, kinds
        write(name, "trust_region", params, objective, start, bounds, initial, out)
    for name, objective, start, bounds, steps, separable in [
        ("coordinate_search", "rastrigin25", [1.3, -2.2, 3.1], [-4.0, 5.0], 40, True),
        ("coordinate_search_free", "sphere", [1.3, -2.2], [-math.inf, math.inf], 12, True),
        ("coordinate_search_bent", "rosenbrock", [-1.49, -0.09], [-2.0, 2.5], 40, False),
    ]:
        initial, out, came_out = measured(lambda: coordinate_search(objective, start, bounds, steps))
        assert came_out == separable, name
        write(name, "coordinate_search", {}, objective, start, bounds, initial, out)


if __name__ == "__main__":
    main()
