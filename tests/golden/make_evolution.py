"""Golden trajectories of the evolutionary methods: `python3 tests/golden/make_evolution.py` rewrites their files.

Written from the papers, in the form and with the checks of make.py beside it (files, draws, tolerances). Two parameters
are no parameters of the method: `budget`, the number of evaluations planned, and `bounds`, [lower, upper] of every
variable; without it the space is unbounded.

Draws of jade, shade, lshade and jso, row i for trial i:

    pick     shade: r_i, then p_i; lshade and jso: r_i; then for all the pbest, r1, r2 and jrand, in this order.
             One of k: floor(u k). r1 counts the population without i, r2 the population followed by the archive,
             without i and r1
    control  three normals: z for CR, and a, b, whose quotient a / b is a Cauchy number
    again    further pairs a, b, one number after the other, while F <= 0
    pbest    further choices of the pbest while it is i itself (jso, first half)
    cross    d uniforms: coordinate j is the mutant's if u_j <= CR (the law of a continuous u: < and <= are one)
    archive  row 0: while the archive is too large one member leaves, floor(u |A|), and the last takes its place;
             at the beginning of the next step

Draws of ga, row k for the pair of offspring 2k and 2k + 1:

    pair     two tournaments, each a = floor(u n), b = floor(u (n - 1)) of the others; then u < p_c: crossover
    which    d uniforms: below 1/4 the variable is crossed, below 1/2 crossed and exchanged, else inherited
    spread   d uniforms: SBX
    mutate   row i for offspring i, d uniforms: u < p_m, then u / p_m is the uniform of polynomial mutation

State: x is the population, trial and ftrial the points of this step, archive its members, mu_F and mu_CR the means of
the memories (jade: the two numbers themselves), terminal values counted as 0.
"""

import math

import numpy as np

import make
from make import best, real, start_points, trajectory

# ---------------------------------------------------------------------------------------------- adaptive DE


def half_up(t):
    return math.floor(t + 0.5)


def lehmer(s, w):
    """mean_WL = sum w s^2 / sum w s"""
    return (w * s * s).sum() / (w * s).sum()


class Jade:
    """Zhang & Sanderson 2009: mu_CR and mu_F learn from the means of what succeeded."""

    spread_f = spread_cr = 0.1
    own = 0

    def __init__(self, p):
        self.c, self.p = real(p["learning"]), p["best"]
        self.f = self.cr = real(1) / 2

    def control(self, own, n, share):
        return self.f, self.cr, self.p * n

    def learn(self, f, cr, gain):
        if len(f):
            self.cr = (1 - self.c) * self.cr + self.c * cr.mean()
            self.f = (1 - self.c) * self.f + self.c * (f * f).sum() / f.sum()

    def size(self, share):
        return None

    def archive(self, n):
        return n

    def limit(self, f, cr, share):
        return f, f, cr, False

    def means(self):
        return self.f, self.cr


class Shade(Jade):
    """Tanabe & Fukunaga 2013: H entries, written in turn with weighted means."""

    own = 2
    first_f = first_cr = 0.5

    def __init__(self, p):
        self.h = p["memory"]
        self.m_f = [real(self.first_f)] * self.h
        self.m_cr = [real(self.first_cr)] * self.h
        self.k = 0

    def control(self, own, n, share):
        r = math.floor(own[0] * self.h)
        low = 2.0 / n
        return self.m_f[r], self.m_cr[r], (low + own[1] * (0.2 - low)) * n

    def learn(self, f, cr, gain):
        if len(f):
            w = gain / gain.sum()
            self.store(lehmer(f, w), self.mean_cr(cr, w))
            self.k = (self.k + 1) % self.h

    def mean_cr(self, cr, w):
        return (w * cr).sum()

    def store(self, f, cr):
        self.m_f[self.k], self.m_cr[self.k] = f, cr

    def means(self):
        return sum(self.m_f) / self.h, sum(real(0) if m is None else m for m in self.m_cr) / self.h


class Lshade(Shade):
    """Tanabe & Fukunaga 2014: terminal value, linear population size reduction."""

    own = 1
    kept = 0  # how often a terminal value stood although CR > 0 succeeded

    def __init__(self, p):
        super().__init__(p)
        self.p, self.first, self.rate = p["best"], p["particles"], p["archive"]

    def control(self, own, n, share):
        r = math.floor(own[0] * self.h)
        return self.m_f[r], self.m_cr[r], self.p * n

    def mean_cr(self, cr, w):
        terminal = self.m_cr[self.k] is None or cr.max() == 0
        Lshade.kept += self.m_cr[self.k] is None and cr.max() > 0
        return None if terminal else lehmer(cr, w)

    def size(self, share):
        return half_up((4 - self.first) * share + self.first)

    def archive(self, n):
        return half_up(self.rate * n)


class Jso(Lshade):
    """Brest, Maucec & Boskovic 2017."""

    first_f, first_cr = 0.3, 0.8

    def __init__(self, p):
        super().__init__(dict(p, archive=1.0))

    def control(self, own, n, share):
        r = math.floor(own[0] * self.h)
        p = self.p * (1 - share / 2) * n
        return (real(0.9), real(0.9), p) if r == self.h - 1 else (self.m_f[r], self.m_cr[r], p)

    def limit(self, f, cr, share):
        cr = max(cr, real(0.7)) if share < 0.25 else max(cr, real(0.6)) if share < 0.5 else cr
        f = min(f, real(0.7)) if share < 0.6 else f
        pull = real(0.7) if share < 0.2 else real(0.8) if share < 0.4 else real(1.2)
        return f, pull * f, cr, share < 0.5

    def store(self, f, cr):
        self.m_f[self.k] = (self.m_f[self.k] + f) / 2
        self.m_cr[self.k] = None if cr is None else (self.m_cr[self.k] + cr) / 2


def adaptive(Law):
    def program(f, x, p, draw):
        n, d = x.shape
        law = Law(dict(p, particles=n))
        low, high = (real(b) for b in p.get("bounds", [-math.inf, math.inf]))
        archive = np.zeros((0, d), dtype=make.REAL)
        fx = f(x)
        spent = n

        def state(**more):
            mu_f, mu_cr = law.means()
            return dict(x=x, fx=fx, g=best(x, fx), archive=archive, mu_F=mu_f, mu_CR=mu_cr, **more)

        yield state()
        while True:
            n = len(x)
            share = min(1.0, spent / p["budget"]) if "budget" in p else None
            archive = list(archive)
            while len(archive) > law.archive(n):
                k = draw.index("archive", 0, len(archive))
                archive[k] = archive[-1]
                archive.pop()
            z = draw.normal("control", n, 3)
            order = sorted(range(n), key=lambda i: (fx[i], i))
            trial, used_f, used_cr = np.empty_like(x), [], []
            cross = draw.uniform("cross", n, d)
            for i in range(n):
                own = [draw.one("pick", i) for _ in range(law.own)]
                mu_f, mu_cr, top = law.control(own, n, share)
                cr = real(0) if mu_cr is None else min(max(mu_cr + real(law.spread_cr) * z[i, 0], real(0)), real(1))
                scale = mu_f + real(law.spread_f) * (z[i, 1] / z[i, 2])
                while not scale > 0:
                    a, b = draw.stream("again").standard_normal(2)
                    draw.taken.setdefault("again", {}).setdefault(i, []).extend([float(a), float(b)])
                    scale = mu_f + real(law.spread_f) * (real(a) / real(b))
                scale, pull, cr, other = law.limit(min(scale, real(1)), cr, share)
                top = max(2, half_up(top))
                pbest = order[draw.index("pick", i, top)]
                r1 = [j for j in range(n) if j != i][draw.index("pick", i, n - 1)]
                union = [x[j] for j in range(n) if j not in (i, r1)] + archive
                r2 = union[draw.index("pick", i, len(union))]
                jrand = draw.index("pick", i, d)
                while other and pbest == i:
                    pbest = order[draw.index("pbest", i, top)]
                v = x[i] + pull * (x[pbest] - x[i]) + scale * (x[r1] - r2)
                v = np.where(v < low, (low + x[i]) / 2, np.where(v > high, (high + x[i]) / 2, v))
                trial[i] = np.where((cross[i] <= cr) | (np.arange(d) == jrand), v, x[i])
                used_f.append(scale)
                used_cr.append(cr)
            ft = f(trial)
            spent += n
            won = ft < fx
            law.learn(np.array(used_f)[won], np.array(used_cr)[won], (fx - ft)[won])
            archive = np.array(archive + list(x[won])).reshape(-1, d)
            keep = ft <= fx
            x, fx = np.where(keep[:, None], trial, x), np.where(keep, ft, fx)
            share = min(1.0, spent / p["budget"]) if "budget" in p else None
            size = law.size(share)
            if size is not None and size < n:
                kept = sorted(sorted(range(n), key=lambda i: (fx[i], i))[: max(size, 4)])
                x, fx = x[kept], fx[kept]
            yield state(trial=trial, ftrial=ft)

    return program


# ---------------------------------------------------------------------------------------------- DE, other words


def de_variant(f, x, p, draw):
    """DE with mutation rand/1 or current-to-pbest/1, crossover binomial or exponential. Draws of a row of `pick`: rand/1
    three of the others, each taken out of the list by putting the last in its place; current_to_pbest the pbest,
    floor(u max(2, round(p n))) in the order of values, then two of the others; then jrand. `cross`: d uniforms. Exponential:
    L = 1; while u_(L-1) < CR and L < d: L + 1; the coordinates jrand, ..., jrand + L - 1 (modulo d) are the mutant's."""
    n, d = x.shape
    scale, rate = real(p["F"]), real(p["CR"])
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        order = sorted(range(n), key=lambda i: (fx[i], i))
        u = np.empty((n, d))
        mutant, mask = np.empty_like(x), np.zeros((n, d), dtype=bool)
        u = draw.uniform("cross", n, d)
        for i in range(n):
            left = [j for j in range(n) if j != i]

            def other():
                k = draw.index("pick", i, len(left))
                r, left[k] = left[k], left[-1]
                left.pop()
                return x[r]

            if p["mutation"] == "current_to_pbest":
                pbest = x[order[draw.index("pick", i, max(2, half_up(p["best"] * n)))]]
                a, b = other(), other()
                mutant[i] = x[i] + scale * (pbest - x[i]) + scale * (a - b)
            else:
                a, b, c = other(), other(), other()
                mutant[i] = a + scale * (b - c)
            j = draw.index("pick", i, d)
            if p["recombination"] == "exponential":
                length = 1
                while length < d and u[i, length - 1] < rate:
                    length += 1
                mask[i, [(j + k) % d for k in range(length)]] = True
            else:
                mask[i] = u[i] < rate
                mask[i, j] = True
        trial = np.where(mask, mutant, x)
        ft = f(trial)
        keep = ft <= fx
        x, fx = np.where(keep[:, None], trial, x), np.where(keep, ft, fx)
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- genetic algorithm


def sbx(p1, p2, u, eta, low, high):
    """Simulated binary crossover of two numbers, its law cut at the bounds: the two children, the smaller first."""
    y1, y2 = min(p1, p2), max(p1, p2)
    if y1 == y2:
        return y1, y2

    def spread(room):
        alpha = 2 - (1 + 2 * room / (y2 - y1)) ** (-(eta + 1))
        t = u * alpha
        return t ** (1 / (eta + 1)) if t <= 1 else (1 / (2 - t)) ** (1 / (eta + 1))

    middle, half = (y1 + y2) / 2, (y2 - y1) / 2
    return middle - spread(y1 - low) * half, middle + spread(high - y2) * half


def polynomial(y, u, eta, low, high):
    """Polynomial mutation of one number; without two finite bounds its scale is max(1, |y|)."""
    if math.isfinite(low) and math.isfinite(high):
        width, d1, d2 = high - low, (y - low) / (high - low), (high - y) / (high - low)
    else:
        width, d1, d2 = max(real(1), abs(y)), real(1), real(1)
    if u < 0.5:
        q = (2 * u + (1 - 2 * u) * (1 - d1) ** (eta + 1)) ** (1 / (eta + 1)) - 1
    else:
        q = 1 - (2 * (1 - u) + (2 * u - 1) * (1 - d2) ** (eta + 1)) ** (1 / (eta + 1))
    return y + q * width


def ga(f, x, p, draw):
    """Binary tournaments, SBX, polynomial mutation, the best n of parents and offspring (offspring first on ties)."""
    n, d = x.shape
    low, high = (real(b) for b in p.get("bounds", [-math.inf, math.inf]))
    eta_c, eta_m = real(p["eta_c"]), real(p["eta_m"])
    rate = real(p["mutation"]) if "mutation" in p else real(1) / d
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        pairs = (n + 1) // 2
        which, spread = draw.uniform("which", pairs, d), draw.uniform("spread", pairs, d)
        mutate = draw.uniform("mutate", n, d)
        trial = np.empty_like(x)
        for k in range(pairs):
            parents = []
            for _ in range(2):
                a = draw.index("pair", k, n)
                b = [j for j in range(n) if j != a][draw.index("pair", k, n - 1)]
                parents.append(x[b] if fx[b] < fx[a] else x[a])
            children = [parents[0].copy(), parents[1].copy()]
            if draw.one("pair", k) < p["crossover"]:
                for j in range(d):
                    if which[k, j] < 0.5:
                        small, large = sbx(parents[0][j], parents[1][j], spread[k, j], eta_c, low, high)
                        # each child stays on the side of its parent, unless exchanged
                        first = (parents[0][j] <= parents[1][j]) == (which[k, j] < 0.25)
                        children[0][j], children[1][j] = (small, large) if first else (large, small)
            for i, child in enumerate(children):
                if 2 * k + i < n:
                    u = mutate[2 * k + i]
                    trial[2 * k + i] = [
                        polynomial(y, u[j] / rate, eta_m, low, high) if u[j] < rate else y for j, y in enumerate(child)
                    ]
        trial = np.clip(trial, low, high)
        ft = f(trial)
        everybody, values = np.concatenate([trial, x]), np.concatenate([ft, fx])
        kept = sorted(range(2 * n), key=lambda i: (values[i], i))[:n]
        x, fx = everybody[kept], values[kept]
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- the files


def accepted(walked, some=3):
    counts = [len(s["archive"]) for s in walked]
    assert max(counts) >= some, counts
    return counts


def adaptive_files():
    jade, shade, lshade, jso = (adaptive(law) for law in (Jade, Shade, Lshade, Jso))

    def file(name, program, objective, seed, n, d, p, steps, scale=2.0):
        method = name.split("_")[0]
        return trajectory(name, program, objective, start_points(seed, n, d, scale), p, seed, steps, method)

    _, walked = file("jade", jade, "rastrigin25", 81, 8, 3, dict(learning=0.1, best=0.3), 12)
    assert any("again" in s["draws"] for s in walked), "no Cauchy number was drawn again"
    assert any("archive" in s["draws"] for s in walked), "the archive was never full"
    _, walked = file("jade_bounds", jade, "rosenbrock", 83, 6, 4, dict(learning=0.5, best=0.05, bounds=[-1.5, 1.2]), 10, 1.2)
    before = [start_points(83, 6, 4, 1.2)] + [s["x"] for s in walked]
    for bound in (-1.5, 1.2):
        repaired = sum(((x + bound) / 2 == s["trial"]).sum() for s, x in zip(walked, before))
        assert repaired >= 2, f"no coordinate was repaired at {bound}"

    _, walked = file("shade", shade, "rastrigin25", 83, 12, 3, dict(memory=3), 14)
    assert any("archive" in s["draws"] for s in walked)
    _, walked = file("lshade", lshade, "rastrigin25", 84, 14, 3, dict(memory=3, best=0.11, archive=0.8, budget=120), 13)
    sizes = [len(s["x"]) for s in walked]
    assert sizes[0] < 14 and sizes[-1] == 4 and len(set(sizes)) > 5, sizes
    assert any("archive" in s["draws"] for s in walked)
    # one of two entries becomes terminal and stays it when CR > 0 succeeds at its turn
    p, before = dict(memory=2, best=0.3, archive=1.0, budget=400), Lshade.kept
    file("lshade_terminal", lshade, "rastrigin25", 130, 5, 4, p, 15)
    assert Lshade.kept > before, "no terminal value was kept"
    _, walked = file("jso", jso, "rastrigin25", 85, 16, 3, dict(memory=3, best=0.25, budget=150), 16)
    assert any("pbest" in s["draws"] for s in walked), "the pbest was never the parent"
    file("jso_bounds", jso, "rosenbrock", 86, 9, 2, dict(memory=2, best=0.25, budget=90, bounds=[-1.0, 1.1]), 12, 1.0)


def de_files():
    def file(name, objective, seed, n, d, p, steps, scale=2.0):
        trajectory(name, de_variant, objective, start_points(seed, n, d, scale), p, seed, steps, "de")

    pbest, binomial, exponential = "current_to_pbest", "binomial", "exponential"
    p = dict(F=0.6, CR=0.8, mutation=pbest, best=0.3, recombination=binomial)
    file("de_pbest", "rastrigin25", 73, 7, 3, p, 10)
    p = dict(F=0.5, CR=0.7, mutation="rand", recombination=exponential)
    file("de_exponential", "rosenbrock", 74, 6, 4, p, 10, 1.2)


def ga_files():
    p = dict(crossover=0.9, eta_c=2.0, eta_m=20.0, mutation=0.4, bounds=[-2.0, 2.2])
    trajectory("ga", ga, "rastrigin25", start_points(91, 7, 3), p, 91, 10)
    p = dict(crossover=0.7, eta_c=15.0, eta_m=5.0)
    trajectory("ga_unbounded", ga, "rosenbrock", start_points(92, 6, 4, 1.2), p, 92, 10)


if __name__ == "__main__":
    adaptive_files()
    de_files()
    ga_files()
