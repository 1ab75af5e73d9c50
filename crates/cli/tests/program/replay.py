"""Recomputes a traced run of PSO or EMPSO from its draws and values alone: python3 replay.py RUN.jsonl. Prints the largest gap."""

import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1])]
header, steps = lines[0], [line for line in lines if line["kind"] == "iteration"]
params, averaged = header["params"], header["method"] == "empso"
c1, c2 = params["c1"], params["c2"]
lower, upper = header["lower"], header["upper"]
x, gap = steps[0]["x"], 0.0
v, y, fy = [[0.0] * len(row) for row in x], [row[:] for row in x], steps[0]["values"][:]
m = [[0.0] * len(row) for row in x]
for step in steps[1:]:
    r1, r2 = (step["draws"][name] for name in ("r1", "r2"))
    g = y[fy.index(min(fy))]
    for i in range(len(x)):
        for j in range(len(x[i])):
            if averaged:
                m[i][j] = params["beta"] * m[i][j] + (1 - params["beta"]) * v[i][j]
            else:
                m[i][j] = params["inertia"] * v[i][j]
            v[i][j] = m[i][j] + c1 * r1[i][j] * (y[i][j] - x[i][j]) + c2 * r2[i][j] * (g[j] - x[i][j])
            x[i][j] = min(max(x[i][j] + v[i][j], lower[j]), upper[j])
            pairs = [(x[i][j], step["x"][i][j]), (v[i][j], step["v"][i][j])]
            pairs += [(m[i][j], step["m"][i][j])] if averaged else []
            for mine, theirs in pairs:
                gap = max(gap, abs(mine - theirs) / max(1.0, abs(theirs)))
    for i, value in enumerate(step["values"]):
        if value < fy[i]:
            fy[i], y[i] = value, x[i][:]
print(len(steps), gap)
