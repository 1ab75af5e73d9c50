"""Objectives and constraints of the problems of several objectives, written from the papers with mpmath (40 digits):

    python3 multi.py > multi.json

DTLZ has three objectives. Constraints are c <= 0, in the order of the papers.
"""

import json
import random

from mpmath import atan2, cos, exp, mp, mpf, pi, sin, sqrt

mp.dps = 40
HALF = mpf(1) / 2


def zdt(number, x):
    n = len(x)
    tail = x[1:]
    f1 = x[0]
    if number == 4:
        g = 1 + 10 * (n - 1) + sum(t**2 - 10 * cos(4 * pi * t) for t in tail)
    elif number == 6:
        f1 = 1 - exp(-4 * x[0]) * sin(6 * pi * x[0]) ** 6
        g = 1 + 9 * (sum(tail) / (n - 1)) ** (mpf(1) / 4)
    else:
        g = 1 + 9 * sum(tail) / (n - 1)
    h = {
        1: lambda r: 1 - sqrt(r),
        2: lambda r: 1 - r**2,
        3: lambda r: 1 - sqrt(r) - r * sin(10 * pi * f1),
        4: lambda r: 1 - sqrt(r),
        6: lambda r: 1 - r**2,
    }[number]
    return [f1, g * h(f1 / g)]


def product(factors):
    total = mpf(1)
    for factor in factors:
        total *= factor
    return total


def dtlz(number, x, m=3):
    head, tail = x[: m - 1], x[m - 1 :]
    k = len(tail)
    rastrigin = 100 * (k + sum((t - HALF) ** 2 - cos(20 * pi * (t - HALF)) for t in tail))
    bowl = sum((t - HALF) ** 2 for t in tail)
    if number == 1:
        f = []
        for i in range(m):
            factors = head[: m - 1 - i] + ([1 - head[m - 1 - i]] if i else [])
            f.append(HALF * product(factors) * (1 + rastrigin))
        return f
    if number == 7:
        g = 1 + mpf(9) / k * sum(tail)
        h = m - sum(f / (1 + g) * (1 + sin(3 * pi * f)) for f in head)
        return list(head) + [(1 + g) * h]
    g = {2: bowl, 3: rastrigin, 4: bowl, 5: bowl, 6: sum(t ** (mpf(1) / 10) for t in tail)}[number]
    if number == 4:
        angles = [t**100 * pi / 2 for t in head]
    elif number in (5, 6):
        angles = [head[0] * pi / 2] + [pi / (4 * (1 + g)) * (1 + 2 * g * t) for t in head[1:]]
    else:
        angles = [t * pi / 2 for t in head]
    f = []
    for i in range(m):
        factors = [cos(a) for a in angles[: m - 1 - i]] + ([sin(angles[m - 1 - i])] if i else [])
        f.append((1 + g) * product(factors))
    return f


def bnh(x, y):
    f = [4 * x**2 + 4 * y**2, (x - 5) ** 2 + (y - 5) ** 2]
    return f, [(x - 5) ** 2 + y**2 - 25, mpf("7.7") - (x - 8) ** 2 - (y + 3) ** 2]


def srn(x, y):
    f = [2 + (x - 2) ** 2 + (y - 1) ** 2, 9 * x - (y - 1) ** 2]
    return f, [x**2 + y**2 - 225, x - 3 * y + 10]


def tnk(x, y):
    return [x, y], [
        -(x**2) - y**2 + 1 + cos(16 * atan2(x, y)) / 10,
        (x - HALF) ** 2 + (y - HALF) ** 2 - HALF,
    ]


def osy(a, b, c, d, e, f):
    first = -(25 * (a - 2) ** 2 + (b - 2) ** 2 + (c - 1) ** 2 + (d - 4) ** 2 + (e - 1) ** 2)
    second = a**2 + b**2 + c**2 + d**2 + e**2 + f**2
    at_least = [a + b - 2, 6 - a - b, 2 - b + a, 2 - a + 3 * b, 4 - (c - 3) ** 2 - d, (e - 3) ** 2 + f - 4]
    return [first, second], [-t for t in at_least]


UNIT = (0.0, 1.0)
CASES = [(f"zdt{k}", [UNIT] * 7, lambda x, k=k: (zdt(k, x), [])) for k in (1, 2, 3, 6)]
CASES += [("zdt4", [UNIT] + [(-5.0, 5.0)] * 6, lambda x: (zdt(4, x), []))]
CASES += [(f"dtlz{k}", [UNIT] * 8, lambda x, k=k: (dtlz(k, x), [])) for k in range(1, 8)]
CASES += [
    ("bnh", [(0.0, 5.0), (0.0, 3.0)], lambda x: bnh(*x)),
    ("srn", [(-20.0, 20.0)] * 2, lambda x: srn(*x)),
    ("tnk", [(0.0, 3.141592653589793)] * 2, lambda x: tnk(*x)),
    ("osy", [(0.0, 10.0), (0.0, 10.0), (1.0, 5.0), (0.0, 6.0), (1.0, 5.0), (0.0, 10.0)], lambda x: osy(*x)),
]

if __name__ == "__main__":
    draw = random.Random(19)
    out = []
    for name, bounds, evaluate in CASES:
        # Both corners, and four others; of DTLZ4 those whose head is near 1, where it is no corner of the front.
        points = [[lower for lower, _ in bounds], [upper for _, upper in bounds]]
        points += [[draw.uniform(*pair) for pair in bounds] for _ in range(4)]
        if name == "dtlz4":
            for point in points[2:]:
                point[0], point[1] = draw.uniform(0.97, 1.0), draw.uniform(0.97, 1.0)
        if name == "tnk":
            points = points[1:]  # the angle of the origin is not defined
        rows = []
        for point in points:
            f, c = evaluate([mpf(t) for t in point])
            rows.append({"x": point, "f": [float(t) for t in f], "c": [float(t) for t in c]})
        out.append({"name": name, "points": rows})
    print(json.dumps(out))
