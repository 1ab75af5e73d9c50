"""Golden trajectories of the methods that divide the box: `python3 tests/golden/make_partition.py` rewrites their json files.

Written from the papers (Jones, Perttunen and Stuckman 1993; Gablonsky and Kelley 2001), with every rectangle in one list and every
pair of them compared. Objectives and the form of the files are those of make.py; nothing is drawn. State after an iteration: x the
points that were evaluated in it, g the best point so far, f its value, rectangles their number.

The unit cube is laid over the box so that 1/2 is the start, with straight lines from there to the bounds.
"""

import math

import numpy as np

import make
from make import OBJECTIVES, gap, write


def direct(f, start, p, bounds, steps):
    real, d = make.REAL, len(start)
    low, high = (real(b) for b in bounds)
    start = np.array([real(t) for t in start])
    third = lambda k: real(1) / real(3) ** int(k)

    def value(u):
        v = 2 * u - 1
        x = np.where(v < 0, start + v * (start - low), start + v * (high - start))
        return x, f(x[None])[0]

    def size(r):
        sides = np.array([third(k) for k in r["cuts"]])
        return sides.max() / 2 if p["locally_biased"] else np.sqrt(sum(sorted(sides**2))) / 2

    middle = np.full(d, real(1) / 2)
    x, fx = value(middle)
    rectangles = [dict(u=middle, cuts=np.zeros(d, int), f=fx)]
    best = (fx, x)
    yield dict(x=[x], g=x, f=fx, rectangles=1)
    for _ in range(steps):
        sizes = np.array([size(r) for r in rectangles])
        values = np.array([r["f"] for r in rectangles])
        chosen = []
        for i in range(len(rectangles)):
            same = abs(sizes - sizes[i]) < 1e-12
            if values[i] > values[same].min() or (p["locally_biased"] and i != np.flatnonzero(same & (values == values[i]))[0]):
                continue
            smaller, larger = sizes < sizes[i] - 1e-12, sizes > sizes[i] + 1e-12
            least = max([real(0)] + list((values[i] - values[smaller]) / (sizes[i] - sizes[smaller])))
            most = min([real(math.inf)] + list((values[larger] - values[i]) / (sizes[larger] - sizes[i])))
            if most <= 0 or least > most:
                continue
            if most < math.inf and values[i] - most * sizes[i] > best[0] - real(p["epsilon"]) * abs(best[0]):
                continue
            chosen.append((sizes[i], i))
        asked = []
        for _, i in sorted(chosen):
            r = rectangles[i]
            longest = np.flatnonzero(r["cuts"] == r["cuts"].min())
            h = third(r["cuts"].min() + 1)
            parts = []
            for j in longest:
                pair = []
                for sign in (1, -1):
                    u = r["u"].copy()
                    u[j] = u[j] + sign * h
                    x, fx = value(u)
                    asked.append(x)
                    pair.append((u, fx))
                    if fx < best[0]:
                        best = (fx, x)
                parts.append((min(fx for _, fx in pair), j, pair))
            apart = np.diff(sorted(w for w, _, _ in parts))
            assert (apart > 1e-9).all(), "a comparison is too close"
            for _, j, pair in sorted(parts, key=lambda part: part[0]):
                r["cuts"][j] += 1
                rectangles += [dict(u=u, cuts=r["cuts"].copy(), f=fx) for u, fx in pair]
        yield dict(x=asked, g=best[1], f=best[0], rectangles=len(rectangles))


def file(name, objective, start, p, bounds, steps):
    states = list(direct(OBJECTIVES[objective], start, p, bounds, steps))
    make.REAL = np.longdouble
    try:
        rounding = gap(list(direct(OBJECTIVES[objective], start, p, bounds, steps)), states)
    finally:
        make.REAL = np.float64
    assert rounding < 1e-13, f"{name}: rounding {rounding:.1e}"
    steps = [dict({"round": k + 1, "draws": {}}, **state) for k, state in enumerate(states[1:])]
    head = dict(method="direct", params=p, objective=objective, dim=len(start), bounds=bounds, start=[start])
    bytes = write(name, dict(head, initial=states[0]), dict(steps=steps))
    print(f"{name:28} {len(steps)} steps, {states[-1]['rectangles']} rectangles, f = {states[-1]['f']:.2e}, {bytes} bytes")


if __name__ == "__main__":
    file("direct", "rosenbrock", [0.31, -0.57, 0.23], dict(epsilon=1e-4, locally_biased=True), [-2.3, 3.1], 20)
    file("direct_original", "rastrigin25", [0.43, -1.27], dict(epsilon=1e-2, locally_biased=False), [-2.9, 4.7], 16)
