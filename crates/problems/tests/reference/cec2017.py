"""Values of the CEC 2017 functions by a second program, which shares nothing with the crate: python3 cec2017.py > cec2017.json

Written from the report's formulas and the deviations that the header of src/cec2017/mod.rs names. Shifts, rotations and shuffles are not
the competition's but these, k the part (from 0), indices i, j from 0, d the number of variables; the test writes them to files:
    shift     o_k[j] = (37 j + 53 k) mod 161 - 79.5
    rotation  M_k[i][j] = [i = j] - 2 v_i v_j / sum v^2,  v_j = (3 j + k) mod 5 + 1
    shuffle   (7 j + 3 + k) mod d + 1
    point p   x[j] = (29 j + 71 p) mod 200 - 100 + p / 4
"""
import json
from math import cos, e, exp, fabs, floor, ceil, pi, prod, sin, sqrt


def bent_cigar(z): return z[0] ** 2 + 10 ** 6 * sum(t ** 2 for t in z[1:])
def discus(z): return 10 ** 6 * z[0] ** 2 + sum(t ** 2 for t in z[1:])
def elliptic(z): return sum((10 ** 6) ** (i / (len(z) - 1)) * t ** 2 for i, t in enumerate(z))
def zakharov(z):
    s = sum(0.5 * i * t for i, t in enumerate(z, 1))
    return sum(t ** 2 for t in z) + s ** 2 + s ** 4
def banana(a, b): return 100 * (a * a - b) ** 2 + (a - 1) ** 2
def rosenbrock(z):
    z = [t + 1 for t in z]
    return sum(banana(z[i], z[i + 1]) for i in range(len(z) - 1))
def rastrigin(z): return sum(t * t - 10 * cos(2 * pi * t) + 10 for t in z)
def schaffer7(z):
    r = [sqrt(z[i] ** 2 + z[i + 1] ** 2) for i in range(len(z) - 1)]
    return (sum(sqrt(t) + sqrt(t) * sin(50 * t ** 0.2) ** 2 for t in r) / len(r)) ** 2
def levy(z):
    w = [1 + t / 4 for t in z]
    middle = sum((t - 1) ** 2 * (1 + 10 * sin(pi * t + 1) ** 2) for t in w[:-1])
    return sin(pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + sin(2 * pi * w[-1]) ** 2)
def schwefel(z):
    total = 0.0
    for t in z:
        t += 420.9687462275036
        if t > 500:
            m = 500 - t % 500
            total -= m * sin(sqrt(m)) - ((t - 500) / 100) ** 2 / len(z)
        elif t < -500:
            m = -t % 500
            total -= (m - 500) * sin(sqrt(500 - m)) - ((t + 500) / 100) ** 2 / len(z)
        else:
            total -= t * sin(sqrt(fabs(t)))
    return 418.9828872724338 * len(z) + total
def ackley(z):
    n = len(z)
    return -20 * exp(-0.2 * sqrt(sum(t * t for t in z) / n)) - exp(sum(cos(2 * pi * t) for t in z) / n) + 20 + e
def weierstrass(z):
    w = lambda t: sum(0.5 ** k * cos(2 * pi * 3.0 ** k * t) for k in range(21))
    return sum(w(t + 0.5) for t in z) - len(z) * w(0.5)
def griewank(z): return sum(t * t for t in z) / 4000 - prod(cos(t / sqrt(i)) for i, t in enumerate(z, 1)) + 1
def katsuura(z):
    n = len(z)
    p = 1.0
    for i, t in enumerate(z, 1):
        s = sum(fabs(2.0 ** j * t - floor(2.0 ** j * t + 0.5)) / 2.0 ** j for j in range(1, 33))
        p *= (1 + i * s) ** (10 / n ** 1.2)
    return 10 / n ** 2 * p - 10 / n ** 2
def happycat(z):
    z = [t - 1 for t in z]
    n, r2, s = len(z), sum(t * t for t in z), sum(z)
    return fabs(r2 - n) ** 0.25 + (0.5 * r2 + s) / n + 0.5
def hgbat(z):
    z = [t - 1 for t in z]
    n, r2, s = len(z), sum(t * t for t in z), sum(z)
    return fabs(r2 ** 2 - s ** 2) ** 0.5 + (0.5 * r2 + s) / n + 0.5
def griewank_rosenbrock(z):
    z = [t + 1 for t in z]
    t = [banana(z[i], z[(i + 1) % len(z)]) for i in range(len(z))]
    return sum(v * v / 4000 - cos(v) + 1 for v in t)
def schaffer6(z):
    total = 0.0
    for i in range(len(z)):
        q = z[i] ** 2 + z[(i + 1) % len(z)] ** 2
        total += 0.5 + (sin(sqrt(q)) ** 2 - 0.5) / (1 + 0.001 * q) ** 2
    return total
def lunacek(t, z):
    n = len(t)
    s = 1 - 1 / (2 * sqrt(n + 20) - 8.2)
    mu0, mu1 = 2.5, -sqrt((2.5 ** 2 - 1) / s)
    wells = min(sum(a * a for a in t), n + s * sum((a + mu0 - mu1) ** 2 for a in t))
    return wells + 10 * (n - sum(cos(2 * pi * a) for a in z))


RATE = {rosenbrock: 2.048 / 100, rastrigin: 5.12 / 100, schwefel: 10, weierstrass: 0.5 / 100, griewank: 6, katsuura: 0.05,
        happycat: 0.05, hgbat: 0.05, griewank_rosenbrock: 0.05, lunacek: 0.2}


def rotate(m, y): return [sum(a * b for a, b in zip(row, y)) for row in m]


def plain(f, x, o, m):
    y = [(a - b) * RATE.get(f, 1) for a, b in zip(x, o)]
    if f is schaffer7:
        return f(y)
    if f is lunacek:
        t = [-a if b < 0 else a for a, b in zip(y, o)]
        return f(t, rotate(m, t))
    return f(rotate(m, y))


def hybrid(parts, x, o, m, places):
    z = rotate(m, [a - b for a, b in zip(x, o)])
    y = [z[p - 1] for p in places]
    at, total, d = 0, 0.0, len(x)
    for k, (share, f) in enumerate(parts):
        size = d - at if k == len(parts) - 1 else ceil(share * d)
        own = y[:size] if f is schaffer7 else y[at:at + size]
        own = [a * RATE.get(f, 1) for a in own]
        if f is lunacek:
            own = [-a if b < 0 else a for a, b in zip(own, o)]
            total += f(own, own)
        else:
            total += f(own)
        at += size
    return total


H = {11: [(.2, zakharov), (.4, rosenbrock), (.4, rastrigin)],
     12: [(.3, elliptic), (.3, schwefel), (.4, bent_cigar)],
     13: [(.3, bent_cigar), (.3, rosenbrock), (.4, lunacek)],
     14: [(.2, elliptic), (.2, ackley), (.2, schaffer7), (.4, rastrigin)],
     15: [(.2, bent_cigar), (.2, hgbat), (.3, rastrigin), (.3, rosenbrock)],
     16: [(.2, schaffer6), (.2, hgbat), (.3, rosenbrock), (.3, schwefel)],
     17: [(.1, katsuura), (.2, ackley), (.2, griewank_rosenbrock), (.2, schwefel), (.3, rastrigin)],
     18: [(.2, elliptic), (.2, ackley), (.2, rastrigin), (.2, hgbat), (.2, discus)],
     19: [(.2, bent_cigar), (.2, rastrigin), (.2, griewank_rosenbrock), (.2, weierstrass), (.2, schaffer6)],
     20: [(.1, hgbat), (.1, katsuura), (.2, ackley), (.2, rastrigin), (.2, schwefel), (.2, schaffer7)]}
PLAIN = {1: bent_cigar, 3: zakharov, 4: rosenbrock, 5: rastrigin, 6: schaffer7, 7: lunacek, 8: rastrigin, 9: levy, 10: schwefel}
TEN, STEEP, FLAT, THOUSANDTH = 1000 / 100, 10000 / 1e10, 10000 / 2e7, 10000 / 1e3
C = {21: [(10, 1, rosenbrock), (20, STEEP, elliptic), (30, 1, rastrigin)],
     22: [(10, 1, rastrigin), (20, TEN, griewank), (30, 1, schwefel)],
     23: [(10, 1, rosenbrock), (20, TEN, ackley), (30, 1, schwefel), (40, 1, rastrigin)],
     24: [(10, TEN, ackley), (20, STEEP, elliptic), (30, TEN, griewank), (40, 1, rastrigin)],
     25: [(10, THOUSANDTH, rastrigin), (20, 1, happycat), (30, TEN, ackley), (40, STEEP, discus), (50, 1, rosenbrock)],
     26: [(10, FLAT, schaffer6), (20, 1, schwefel), (20, TEN, griewank), (30, 1, rosenbrock), (40, THOUSANDTH, rastrigin)],
     27: [(10, THOUSANDTH, hgbat), (20, THOUSANDTH, rastrigin), (30, 10000 / 4e3, schwefel), (40, 10000 / 1e30, bent_cigar),
          (50, STEEP, elliptic), (60, FLAT, schaffer6)],
     28: [(10, TEN, ackley), (20, TEN, griewank), (30, STEEP, discus), (40, 1, rosenbrock), (50, 1, happycat), (60, FLAT, schaffer6)],
     29: [(10, 1, 15), (30, 1, 16), (50, 1, 17)],
     30: [(10, 1, 15), (30, 1, 18), (50, 1, 19)]}


def numbers(k, d):
    v = [(3 * j + k) % 5 + 1 for j in range(d)]
    s = sum(t * t for t in v)
    m = [[(1.0 if i == j else 0.0) - 2 * v[i] * v[j] / s for j in range(d)] for i in range(d)]
    return [(37 * j + 53 * k) % 161 - 79.5 for j in range(d)], m, [(7 * j + 3 + k) % d + 1 for j in range(d)]


def value(n, x):
    d = len(x)
    if n < 11:
        o, m, _ = numbers(0, d)
        return plain(PLAIN[n], x, o, m) + 100 * n
    if n < 21:
        return hybrid(H[n], x, *numbers(0, d)) + 100 * n
    weights, values = [], []
    for k, (sigma, scale, f) in enumerate(C[n]):
        o, m, places = numbers(k, d)
        values.append(scale * (hybrid(H[f], x, o, m, places) if n > 28 else plain(f, x, o, m)) + 100 * k)
        r2 = sum((a - b) ** 2 for a, b in zip(x, o))
        weights.append(exp(-r2 / (2 * d * sigma ** 2)) / sqrt(r2))
    return sum(w * v for w, v in zip(weights, values)) / sum(weights) + 100 * n


rows = []
for n in [1] + list(range(3, 31)):
    for d in (10, 30):
        points = [[(29 * j + 71 * p) % 200 - 100 + p / 4 for j in range(d)] for p in range(3)]
        rows.append({"function": n, "dim": d, "values": [value(n, x) for x in points]})
print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
