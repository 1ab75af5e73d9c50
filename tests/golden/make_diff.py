"""Golden trajectories of the differentiable methods: `python3 tests/golden/make_diff.py` rewrites their files.

In the form and with the checks of make.py beside it. The plain methods are the programs of make.py and make_evolution.py;
what is written here, from the description of elite gradient injection, is what happens to the best in between: their rows
of the trial points are exchanged before these are evaluated, and they are compared here and not by the method.

Draws: those of the plain method, and

    way      row i, two uniforms, for every elite i with a gradient that is not zero: below `secant`, and with at least one
             pair, a secant step; else by the second, below `raw` (1/2) a raw step, else one of the population
    control  of jde, row i: rand1, rand2, rand3, rand4

`mode` hybrid, `elite` q, `secant` p_s, `raw` p_r, `pairs` the memory. Gradients are analytic; with `slopes` population they
are those of a plane through the ranks of the nearest points, found anew in every iteration, and there are no pairs.
"""

import math

import numpy as np

import make
import make_evolution
from make import best, mirror, real, start_points, trajectory

# ---------------------------------------------------------------------------------------------- gradients


def slope(name, x):
    if name == "sphere":
        return 2 * x
    if name == "rastrigin25":
        return 2 * x + 5 * make.real_pi() * np.sin(2 * make.real_pi() * x)
    g = np.zeros_like(x)
    for j in range(len(x) - 1):
        r = x[j + 1] - x[j] * x[j]
        g[j] += -400 * x[j] * r - 2 * (1 - x[j])
        g[j + 1] += 200 * r
    return g


# ---------------------------------------------------------------------------------------------- jDE


def jde(f, x, p, draw):
    """Brest et al. 2006: F' = 0.1 + 0.9 rand1 if rand2 < tau1, CR' = rand3 if rand4 < tau2; rand/1/bin; both are kept with
    the trial if it is not worse."""
    n, d = x.shape
    own_f, own_cr = np.full(n, real(p["F"])), np.full(n, real(p["CR"]))
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        u = draw.uniform("control", n, 4)
        new_f = np.where(u[:, 1] < p["tau1"], real("0.1") + real("0.9") * u[:, 0], own_f)
        new_cr = np.where(u[:, 3] < p["tau2"], u[:, 2], own_cr)
        cross = draw.uniform("cross", n, d)
        trial = np.empty_like(x)
        for i in range(n):
            left = [j for j in range(n) if j != i]
            rows = []
            for _ in range(3):
                k = draw.index("pick", i, len(left))
                rows.append(left[k])
                left[k] = left[-1]
                left.pop()
            sure = draw.index("pick", i, d)
            mutant = x[rows[0]] + new_f[i] * (x[rows[1]] - x[rows[2]])
            trial[i] = np.where((cross[i] < new_cr[i]) | (np.arange(d) == sure), mutant, x[i])
        ft = f(trial)
        keep = ft <= fx
        own_f, own_cr = np.where(keep, new_f, own_f), np.where(keep, new_cr, own_cr)
        x, fx = np.where(keep[:, None], trial, x), np.where(keep, ft, fx)
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- elite injection


class Known:
    """What is known of an individual: its gradient and where, three step lengths, its pairs, when it was last among the best."""

    def __init__(self, who):
        self.who, self.used, self.x, self.g, self.pairs = who, 0, None, None, []
        self.delta = dict(raw=real(1) / 2, population=real(1) / 2, secant=real(1))

    def step(self, u1, u2, secant, raw, spread, product):
        """The way of a step and the step without its length; `spread` is tr C, product(share, g) is share * C g."""
        g = self.g
        way = "secant" if self.pairs and u1 < secant else "raw" if u2 < raw else "population"
        if way == "secant":
            u = two_loops(g, self.pairs)
            if not u @ g > 0:
                raise ValueError("no descent: choose another seed")
        elif way == "raw":
            u = np.sqrt(spread) * g / np.sqrt(g @ g)
        else:
            a = real(1) / 10**6
            h = product(1 - a, g) + a * spread / len(g) * g
            u = h / np.sqrt(g @ h)
        return way, u

    def learn(self, way, trial, g, most, fitted):
        """The trial was better (g: its gradient) or not (g is None)."""
        if g is None:
            self.delta[way] = self.delta[way] / 2
            if fitted and self.delta[way] < real("1e-3"):
                self.delta[way] = real(1) / 2
            if way == "secant" and self.delta[way] < real("0.1"):
                self.delta[way], self.pairs = real(1), []
            return
        s, y = trial - self.x, g - self.g
        if fitted:
            pass
        elif s @ y > real("1e-10") * np.sqrt((s @ s) * (y @ y)):
            self.pairs = (self.pairs + [(s, y)])[-most:]
        elif len(self.pairs) == most:
            self.pairs = self.pairs[1:]
        self.x, self.g = trial.copy(), g
        self.delta[way] = self.delta[way] * real("1.6")
        if way == "secant":
            self.delta[way] = min(self.delta[way], real(1))


def two_loops(g, pairs):
    """L-BFGS: H g from the pairs, the newest last."""
    q, alphas = g.copy(), []
    for s, y in reversed(pairs):
        a = (s @ q) / (s @ y)
        alphas.append(a)
        q = q - a * y
    s, y = pairs[-1]
    q = q * ((s @ y) / (y @ y))
    for (s, y), a in zip(pairs, reversed(alphas)):
        q = q + (a - (y @ q) / (s @ y)) * s
    return q


def plane(points, values, i):
    """The slope at point i of a plane through ranks over the min(n, 2 d + 1) nearest points, in units of deviations."""
    n, d = points.shape
    rank = np.array([((values < v).sum() + (values <= v).sum() - 1) / real(2) for v in values])
    s = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=0) / n)
    z = points / s
    away = ((z - z[i]) ** 2).sum(axis=1)
    near = sorted(range(n), key=lambda k: (away[k], k))[: min(n, 2 * d + 1)]
    w = z[near] - z[near].mean(axis=0)
    r = rank[near] - rank[near].mean()
    a, b = w.T @ w / len(near), w.T @ r / len(near)
    a = a + np.diag([np.trace(a) / 100 / d] * d)
    for j in range(d):  # Gauss, without exchanges: a is positive definite
        for k in range(j + 1, d):
            share = a[k, j] / a[j, j]
            a[k], b[k] = a[k] - share * a[j], b[k] - share * b[j]
    g = np.zeros_like(b)
    for j in reversed(range(d)):
        g[j] = (b[j] - a[j, j + 1 :] @ g[j + 1 :]) / a[j, j]
    return g / s


COUNT = {}  # what happened in the last trace


def hybrid(plain, kind):
    """`kind`: "population" (x the population, trials apart), "swarm" (x travels, y remembers), "consensus" (x travels)."""

    def program(f, start, p, draw):
        q, most, fitted = p["elite"], p["pairs"], p.get("slopes") == "population"
        low, high = (real(b) for b in p.get("bounds", [-math.inf, math.inf]))
        now = {}
        room = []
        clock = [0]
        COUNT.clear()

        def know(i):
            for known in room:
                if known.who == i:
                    return known
            if len(room) < min(4 * math.ceil(q * len(start)), len(start)):
                room.append(Known(i))
                return room[-1]
            oldest = min(room, key=lambda known: known.used)
            room[room.index(oldest)] = fresh = Known(i)
            COUNT["evicted"] = COUNT.get("evicted", 0) + 1
            return fresh

        def step(known, points, i):
            """The trial of individual i, and the way it was made."""
            u1, u2 = draw.one("way", i), draw.one("way", i)
            n = len(points)
            centred = points - points.mean(axis=0)
            spread = (centred**2).sum() / n
            way, u = known.step(u1, u2, p["secant"], p.get("raw", 0.5), spread, lambda share, g: share * (centred.T @ (centred @ g)) / n)
            return mirror(known.x - known.delta[way] * u, low, high), way

        def evaluate(points):
            """The plain method's f: exchanges the rows of the best before it looks."""
            if not now:
                return f(points)
            old_x, old_f = (now["y"], now["fy"]) if kind == "swarm" else (now["x"], now["fx"])
            n = len(points)
            clock[0] += 1
            order = sorted(range(n), key=lambda i: (old_f[i], i))
            elite = sorted(order[: math.ceil(q * n)])
            steps, everybody = {}, old_x.copy()
            records = {}
            for i in elite:
                # In use from here on: nobody else of this round may have it.
                records[i] = know(i)
                records[i].used = clock[0]
            for i, known in records.items():
                if fitted:
                    known.x, known.g = old_x[i].copy(), plane(old_x, old_f, i)
                elif known.x is None or (known.x != old_x[i]).any():
                    known.x, known.g = old_x[i].copy(), slope(f.__name__, old_x[i])
            for i, known in records.items():
                steps[i] = step(known, everybody, i)
            for i, (trial, way) in steps.items():
                points[i] = trial
            values = f(points)
            now["shown"] = (points.copy(), values.copy())
            for i, (trial, way) in steps.items():
                known = records[i]
                won = values[i] < old_f[i]
                COUNT[way, bool(won)] = COUNT.get((way, bool(won)), 0) + 1
                known.learn(way, trial, slope(f.__name__, trial) if won else None, most, fitted)
                if kind == "population":
                    if won:
                        now["x"][i], now["fx"][i] = trial, values[i]
                    values[i] = math.inf
                elif not won:
                    points[i], values[i] = now["before"][i], now["fx"][i]
            now["elite"] = elite
            now["values"] = values.copy()
            return values

        states = plain(evaluate, start, p, draw)
        while True:
            s = next(states)
            if kind != "population" and now:
                for key in ("v", "m"):
                    if key in s:
                        s[key][now["elite"]] = now[key][now["elite"]]
            if plain.__name__ == "ga" and now:
                values = np.concatenate([now["values"], now["fx"]])
                n = len(s["x"])
                kept = sorted(range(2 * n), key=lambda i: (values[i], i))[:n]
                for known in room:
                    known.who = kept.index(n + known.who) if known.who is not None and n + known.who in kept else None
                    if known.who is None:
                        known.used = 0
            shown = {key: value.copy() if np.ndim(value) else value for key, value in s.items()}
            if "trial" in shown:
                shown["trial"], shown["ftrial"] = now["shown"]
            if kind == "population":
                shown["g"] = best(shown["x"], shown["fx"])
            yield shown
            now.update(s)
            now["before"] = s["x"].copy()
            for key in ("v", "m"):
                if key in s:
                    now[key] = s[key].copy()

    program.__name__ = plain.__name__
    return program


# ---------------------------------------------------------------------------------------------- the files


def file(name, plain, kind, objective, seed, n, d, p, steps, scale=2.0, evicted=0):
    """The first seed from `seed` on whose comparisons are all clear."""
    method = "diff_" + name.split("_")[1]
    p = dict(p, mode="hybrid")
    while True:
        try:
            trajectory(name, hybrid(plain, kind), objective, start_points(seed, n, d, scale), p, seed, steps, method)
            assert COUNT.get("evicted", 0) >= evicted
            print("    ", seed, COUNT)
            return dict(COUNT)
        except (AssertionError, ValueError):
            seed += 1


if __name__ == "__main__":
    p = dict(F=0.5, CR=0.9, tau1=0.4, tau2=0.3)
    trajectory("jde", jde, "rastrigin25", start_points(201, 7, 3), p, 201, 12, "jde")
    usual = dict(elite=0.3, pairs=3, secant=0.6)
    seen = {}

    def take(count):
        for key, value in count.items():
            seen[key] = seen.get(key, 0) + value

    take(file("diff_de", make.de, "population", "rosenbrock", 202, 8, 4, dict(usual, F=0.5, CR=0.9), 14, 1.2))
    take(file("diff_de_raw", make.de, "population", "rosenbrock", 231, 8, 4, dict(usual, raw=0.85, F=0.5, CR=0.9), 14, 1.2))
    fit = dict(usual, slopes="population")
    file("diff_de_fit", make.de, "population", "rosenbrock", 232, 14, 3, dict(fit, F=0.5, CR=0.9), 14, 1.2)
    file("diff_pso_fit", make.pso, "swarm", "rastrigin25", 233, 9, 4, dict(fit, inertia=0.7, c1=1.4, c2=1.5), 12, 1.2)
    few = dict(elite=0.05, pairs=2, secant=0.5)
    take(file("diff_de_few", make.de, "population", "rastrigin25", 856, 13, 3, dict(few, F=0.8, CR=0.9), 16, evicted=1))
    take(file("diff_jde", jde, "population", "rastrigin25", 204, 8, 3, dict(usual, F=0.5, CR=0.9, tau1=0.4, tau2=0.3), 12))
    shade = make_evolution.adaptive(make_evolution.Shade)
    take(file("diff_shade", shade, "population", "rosenbrock", 205, 10, 3, dict(usual, memory=3), 12, 1.2))
    p = dict(usual, crossover=0.9, eta_c=2.0, eta_m=20.0, mutation=0.4, bounds=[-2.0, 2.2])
    take(file("diff_ga", make_evolution.ga, "population", "rastrigin25", 206, 8, 3, p, 12))
    p = dict(usual, inertia=0.7, c1=1.4, c2=1.5)
    take(file("diff_pso", make.pso, "swarm", "rosenbrock", 207, 8, 4, p, 12, 1.2))
    p = dict(usual, beta=0.2, c1=1.2, c2=1.2)
    take(file("diff_empso", make.empso, "swarm", "rastrigin25", 208, 8, 3, p, 12))
    p = dict(usual, dt=0.1, sigma=1.5, alpha=3.0, noise="anisotropic")
    p["lambda"] = 1.0
    take(file("diff_cbo", make.cbo, "consensus", "rosenbrock", 209, 8, 4, p, 12, 1.2))
    for way in ("raw", "population", "secant"):
        assert seen[way, True] >= 5 and seen[way, False] >= 5, seen
    assert seen["evicted"] >= 1, seen
