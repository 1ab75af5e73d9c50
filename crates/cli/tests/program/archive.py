"""Reads an archive with COCO's post-processing: no warning may appear, and the shares of targets must be those of our report.

archive.py FOLDER REPORT: the folder of one method, and the JSON that `bench --json` printed for it.
"""

import json
import sys
import warnings

import numpy

with warnings.catch_warnings():
    # About the machine's list of archives, whatever folder is read.
    warnings.simplefilter("ignore")
    import cocopp

folder, report = sys.argv[1], json.load(open(sys.argv[2]))
with warnings.catch_warnings():
    warnings.simplefilter("error")
    runs = cocopp.load(folder)
assert len(runs) > 0, "nothing was read"

(method,) = report["methods"]
targets = [10 ** ((10 - k) / 5) for k in range(51)]  # to the last bit: cocopp has a grid of its own
assert sum(run.nbRuns() for run in runs) == method["runs"]


def reached(keep):
    """Evaluations a variable to each target, infinite where it was missed, of all runs that are kept."""
    parts = [numpy.ravel(run.detEvals(targets)) / run.dim for run in runs if keep(run)]
    return numpy.nan_to_num(numpy.concatenate(parts), nan=numpy.inf)


def compare(name, ours, keep):
    n = reached(keep)
    for budget, share in ours["share"].items():
        theirs = numpy.mean(n <= float(budget) * (1 + 1e-12))
        assert abs(theirs - share) < 1e-9, f"{name}, {budget} d: {theirs} there, {share} here"
    with numpy.errstate(divide="ignore"):
        area = numpy.mean(numpy.clip(1 - numpy.log10(n) / 3, 0, 1))
    assert abs(area - ours["area"]) < 1e-9, f"{name}, area: {area} there, {ours['area']} here"


compare("all", method, lambda run: True)
for name, ours in method["dims"].items():
    compare(name, ours, lambda run: run.dim == int(name.split()[-1]))
for name, ours in method["functions"].items():
    compare(name, ours, lambda run: run.funcId == int(name[1:]))
print(f"{method['runs']} runs agree")
