"""Fronts that pymoo's NSGA-II finds with 10,000 evaluations, for the table of docs/objectives.md:

    pip install pymoo==0.6.2
    python3 crates/algorithms/examples/fronts_pymoo.py pymoo.jsonl

Thirty seeds on each problem, a population of 100 and pymoo's defaults otherwise. A line of the file is [problem, seed, front].
"""

import json
import sys

from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize
from pymoo.problems import get_problem

PROBLEMS = {f"zdt{k}": dict(n_var=10 if k in (4, 6) else 30) for k in (1, 2, 3, 4, 6)}
PROBLEMS["dtlz1"] = dict(n_var=7, n_obj=3)
PROBLEMS |= {f"dtlz{k}": dict(n_var=12, n_obj=3) for k in (2, 3, 4, 5, 6)}
PROBLEMS["dtlz7"] = dict(n_var=22, n_obj=3)
PROBLEMS |= {name: {} for name in ("bnh", "srn", "tnk", "osy")}

with open(sys.argv[1], "w") as out:
    for seed in range(30):
        for name, sizes in PROBLEMS.items():
            problem = get_problem(name, **sizes)
            result = minimize(problem, NSGA2(pop_size=100), ("n_eval", 10_000), seed=seed + 1)
            front = [] if result.F is None else result.F.tolist()
            out.write(json.dumps([name, seed, front]) + "\n")
