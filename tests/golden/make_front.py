"""Golden trajectories of the methods of several objectives: `python3 tests/golden/make_front.py` rewrites their files.

Written from the papers, in the form and with the checks of make.py beside it (files, draws, tolerances). The objectives `bowls` are
sum (x - 1)^2 and sum (x + 1)^2. Offspring are those of ga in make_evolution.py, with its draws, but for the parents:

    nsga2     the winners by (front, crowding distance), of equals the first
    sms_emoa  the same

Draws of mo_cbo: `xi`, row i for particle i: d normals.

State: x is the population, whose members keep their places: offspring that survive take, in order, the places of those that do not.
trial are the offspring. archive holds the points that nothing evaluated covers, in the order in which they came; of too many the one
that contributes least to the hypervolume leaves, of equals the last, in units of the front's extent from a tenth beyond its worst.
"""

import math

import numpy as np

import make
from make import real, start_points, trajectory
from make_evolution import polynomial, sbx


def bowls(x):
    return np.stack([((x - 1) ** 2).sum(axis=1), ((x + 1) ** 2).sum(axis=1)], axis=1)


make.OBJECTIVES["bowls"] = bowls


def dominates(a, b):
    return (a <= b).all() and (a < b).any()


def peel(f):
    """The front of each point, by the definition."""
    rank = np.full(len(f), -1)
    level = 0
    while (rank < 0).any():
        left = [i for i in range(len(f)) if rank[i] < 0]
        for i in [i for i in left if not any(dominates(f[j], f[i]) for j in left)]:
            rank[i] = level
        level += 1
    return rank


def crowd(f, front):
    distance = {i: real(0) for i in front}
    for k in range(f.shape[1]):
        order = sorted(front, key=lambda i: (f[i, k], i))
        low, high = f[order[0], k], f[order[-1], k]
        distance[order[0]] = distance[order[-1]] = math.inf
        for before, here, behind in zip(order, order[1:], order[2:]):
            distance[here] += (f[behind, k] - f[before, k]) / (high - low)
    return distance


def volume(f, reference):
    total, height = real(0), reference[1]
    for a, b in sorted(map(tuple, f)):
        if a < reference[0] and b < height:
            total += (reference[0] - a) * (height - b)
            height = b
    return total


def most_volume(f, front, keep):
    """Leaves out the least contributor until `keep` are left; every contribution anew each time."""
    front = list(front)
    if len(front) <= keep:
        return front
    some = f[front]
    scaled = {i: (f[i] - some.min(axis=0)) / (some.max(axis=0) - some.min(axis=0)) for i in front}
    reference = (real(1) + real(1) / 10,) * 2
    while len(front) > keep:
        rest = [volume([scaled[j] for j in front if j != i], reference) for i in front]
        # the last of those without which most is left
        worst = max(range(len(front)), key=lambda k: (rest[k], k))
        assert all(r == rest[worst] or abs(r - rest[worst]) > 1e-9 for r in rest), "a contribution is too close"
        front.pop(worst)
    return front


class Archive:
    def __init__(self, capacity):
        self.capacity, self.x, self.f = capacity, [], []

    def join(self, x, f):
        for point, values in zip(x, f):
            if any((old <= values).all() for old in self.f):
                continue
            kept = [i for i in range(len(self.f)) if not (values <= self.f[i]).all()]
            self.x = [self.x[i] for i in kept] + [point]
            self.f = [self.f[i] for i in kept] + [values]
        kept = most_volume(np.array(self.f), range(len(self.f)), self.capacity)
        self.x, self.f = [self.x[i] for i in kept], [self.f[i] for i in kept]

    def rows(self):
        return np.array(self.x)


def breed(x, key, p, draw):
    """Offspring of ga, parents by key."""
    n, d = x.shape
    low, high = (real(b) for b in p.get("bounds", [-math.inf, math.inf]))
    rate = real(p["mutation"]) if "mutation" in p else real(1) / d
    which, spread = draw.uniform("which", (n + 1) // 2, d), draw.uniform("spread", (n + 1) // 2, d)
    mutate = draw.uniform("mutate", n, d)
    trial = np.empty_like(x)
    for k in range((n + 1) // 2):
        parents = []
        for _ in range(2):
            a = draw.index("pair", k, n)
            b = [j for j in range(n) if j != a][draw.index("pair", k, n - 1)]
            parents.append(x[b] if key[b] < key[a] else x[a])
        children = [parents[0].copy(), parents[1].copy()]
        if draw.one("pair", k) < p["crossover"]:
            for j in range(d):
                if which[k, j] < 0.5:
                    pair = sbx(parents[0][j], parents[1][j], spread[k, j], real(p["eta_c"]), low, high)
                    straight = (parents[0][j] <= parents[1][j]) == (which[k, j] < 0.25)
                    children[0][j], children[1][j] = pair if straight else pair[::-1]
        for i in (2 * k, 2 * k + 1):
            if i < n:
                u, child = mutate[i], children[i - 2 * k]
                trial[i] = [
                    polynomial(y, u[j] / rate, real(p["eta_m"]), low, high) if u[j] < rate else y
                    for j, y in enumerate(child)
                ]
    return np.clip(trial, low, high)


def keys(f):
    rank = peel(f)
    key = [None] * len(f)
    for level in range(rank.max() + 1):
        for i, distance in crowd(f, [i for i in range(len(f)) if rank[i] == level]).items():
            key[i] = (level, -distance)
    return key


def by_crowding(f, key, n):
    return sorted(range(len(f)), key=lambda i: key[i])[:n]


def by_volume(f, key, n):
    kept = []
    for level in range(max(k[0] for k in key) + 1):
        kept += most_volume(f, [i for i in range(len(f)) if key[i][0] == level], n - len(kept)) if len(kept) < n else []
    return kept


def evolving(survivors):
    def program(f, x, p, draw):
        n = len(x)
        fx, archive = f(x), Archive(p["archive"])
        archive.join(x, fx)
        key = keys(fx)
        yield dict(x=x, archive=archive.rows())
        while True:
            trial = breed(x, key, p, draw)
            ft = f(trial)
            archive.join(trial, ft)
            everybody, values = np.concatenate([trial, x]), np.concatenate([ft, fx])
            merged = keys(values)
            kept = set(survivors(values, merged, n))
            young = [i for i in range(n) if i in kept]
            places = [n + i if n + i in kept else young.pop(0) for i in range(n)]
            x, fx, key = everybody[places], values[places], [merged[i] for i in places]
            yield dict(x=x, trial=trial, archive=archive.rows())

    return program


def on_simplex(w):
    """Two weights: the first between 0 and 1."""
    first = min(max(w[0], real(0)), real(1))
    return np.array([first, 1 - first])


def mo_cbo(f, x, p, draw):
    n, d = x.shape
    dt, alpha, c = real(p["dt"]), real(p["alpha"]), real(p["reach"])
    archive = Archive(p["archive"])
    w = np.array([[real(i) / (n - 1), 1 - real(i) / (n - 1)] for i in range(n)])
    fx = f(x)
    archive.join(x, fx)
    best_x, best_f = x[fx[:, 0].argmin()], fx[:, 0].min()
    yield dict(x=x, archive=archive.rows(), g=best_x)
    while True:
        front = np.array(archive.f)
        low, high = front.min(axis=0), front.max(axis=0)
        g = (fx - low) / np.where(high > low, high - low, 1)
        xi = draw.normal("xi", n, d)
        new = np.empty_like(x)
        for i in range(n):
            energy = (w[i] * np.abs(g)).max(axis=1)
            share = np.exp(-alpha * (energy - energy.min()))
            y = (share[:, None] * x).sum(axis=0) / share.sum()
            new[i] = x[i] + real(p["lambda"]) * dt * (y - x[i]) + real(p["sigma"]) * np.sqrt(dt) * (y - x[i]) * xi[i]
        for i in range(n):
            force = np.zeros(2, dtype=make.REAL)
            for j in range(n):
                r = g[i] - g[j]
                size = np.sqrt((r * r).sum())
                if size > 0:
                    force += c / 2 * r / size * np.exp(-c * size) / (n - 1)
            # what pushes the second objective up lets the first weigh more
            w[i] = on_simplex(w[i] + dt * real(p["tau"]) * np.array([force[1] - force[0], force[0] - force[1]]))
        x, fx = new, f(new)
        archive.join(x, fx)
        if fx[:, 0].min() < best_f:
            best_x, best_f = x[fx[:, 0].argmin()], fx[:, 0].min()
        yield dict(x=x, archive=archive.rows(), g=best_x)


if __name__ == "__main__":
    p = dict(crossover=0.9, eta_c=3.0, eta_m=10.0, mutation=0.4, archive=60, bounds=[-2.0, 2.2])
    trajectory("nsga2", evolving(by_crowding), "bowls", start_points(121, 9, 3), p, 121, 8, "nsga2")
    p = dict(p, archive=5, offspring=8)
    _, walked = trajectory("sms_emoa", evolving(by_volume), "bowls", start_points(122, 8, 3), p, 122, 8, "sms_emoa")
    assert all(len(s["archive"]) == 5 for s in walked[2:]), "the archive was never full"
    p = dict(dt=0.1, sigma=1.5, alpha=20.0, tau=2.0, reach=4.0, archive=60)
    p["lambda"] = 1.0
    trajectory("mo_cbo", mo_cbo, "bowls", start_points(123, 7, 3), p, 123, 8, "mo_cbo")
