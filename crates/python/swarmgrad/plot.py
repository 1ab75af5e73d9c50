"""Pictures of runs, as axes of matplotlib."""

import os

import numpy as np

__all__ = ["comparison", "convergence", "parallel", "slices", "trajectory"]


def _axes(ax):
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def _record(record):
    """A record, read where its path was given."""
    if isinstance(record, (str, os.PathLike)):
        from . import journal

        return journal.read(record)
    return record


def _steps(history):
    nfev, fun = np.append(history["nfev"], history["end"]), np.append(history["fun"], history["fun"][-1:])
    return (nfev, fun) if len(history["fun"]) else (np.array([]), np.array([]))


def convergence(results, ax=None, labels=None):
    """The best value over the evaluations, a line a run. ``results`` is a result, a record, its path, or a list
    of them."""
    results = [results] if hasattr(results, "history") or isinstance(results, (str, os.PathLike)) else list(results)
    results = [_record(result) for result in results]
    ax = _axes(ax)
    labels = labels or [None] * len(results)
    lowest = []
    for result, label in zip(results, labels):
        nfev, fun = _steps(result.history)
        ax.step(nfev, fun, where="post", label=label)
        lowest.extend(fun)
    if lowest and min(lowest) > 0:
        ax.set_yscale("log")
    ax.set(xlabel="evaluations", ylabel="best value")
    if any(labels):
        ax.legend()
    return ax


def comparison(runs, axes=None):
    """The median best value of every method with its quartiles, a panel a problem of a :class:`swarmgrad.Comparison`."""
    if axes is None:
        import matplotlib.pyplot as plt

        count = len(runs.problems)
        axes = plt.subplots(1, count, figsize=(4.5 * count, 3.5), squeeze=False)[1][0]
    axes = np.atleast_1d(axes)
    for ax, problem in zip(axes, runs.problems):
        lowest = []
        for method in runs.methods:
            courses = [r["result"].history for r in runs.rows if (r["problem"], r["method"]) == (problem, method)]
            end = max(course["end"] for course in courses)
            grid = np.unique(np.geomspace(1, end, 200).astype(int))
            table = np.array([_at(course, grid) for course in courses])
            low, middle, high = np.nanquantile(table, [0.25, 0.5, 0.75], axis=0)
            line = ax.plot(grid, middle, label=method)[0]
            ax.fill_between(grid, low, high, color=line.get_color(), alpha=0.2)
            lowest.append(np.nanmin(low))
        if min(lowest) > 0:
            ax.set_yscale("log")
        ax.set(title=problem, xlabel="evaluations", ylabel="best value", xscale="log")
        ax.legend()
    return axes


def _at(history, grid):
    """The best value after so many evaluations; before the first one the first."""
    if len(history["fun"]) == 0:
        return np.full(len(grid), np.nan)
    return history["fun"][np.maximum(np.searchsorted(history["nfev"], grid, side="right") - 1, 0)]


def _numbers(record):
    """The variables of a record as numbers, and the labels of those that are words."""
    columns, words = [], {}
    points = [record.point(row) for row in record.evaluations]
    for j, name in enumerate(record.names):
        column = [point[j] for point in points]
        if any(isinstance(value, str) for value in column):
            words[name] = sorted(set(map(str, column)))
            column = [words[name].index(str(value)) for value in column]
        columns.append(np.array(column, dtype=float))
    return columns, words


def parallel(record, ax=None, best=0.2):
    """Parallel coordinates: a line an evaluation across all variables, the ``best`` share in colour. ``record`` is a record or
    its path."""
    record = _record(record)
    ax, values = _axes(ax), record.values
    columns, words = _numbers(record)
    scaled = [(c - c.min()) / ((c.max() - c.min()) or 1.0) for c in columns]
    order = np.argsort(values if record.maximize else -values)
    known = order[~np.isnan(values[order])]
    good = set(known[len(known) - max(1, int(best * len(known))):].tolist())
    for k in known:
        style = {"color": "C0", "alpha": 0.6} if int(k) in good else {"color": "0.8", "alpha": 0.4}
        ax.plot(range(len(scaled)), [column[k] for column in scaled], linewidth=0.8, **style)
    ax.set_xticks(range(len(record.names)), record.names)
    ax.set_yticks([])
    for j, (name, column) in enumerate(zip(record.names, columns)):
        ends = (words[name][0], words[name][-1]) if name in words else (f"{column.min():.3g}", f"{column.max():.3g}")
        ax.text(j, -0.03, ends[0], ha="center", va="top", fontsize="small")
        ax.text(j, 1.03, ends[1], ha="center", va="bottom", fontsize="small")
    return ax


def slices(record, axes=None):
    """The values over each variable, a panel a variable. ``record`` is a record or its path."""
    record = _record(record)
    columns, words = _numbers(record)
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(1, len(columns), figsize=(3 * len(columns), 3), squeeze=False, sharey=True)[1][0]
    axes = np.atleast_1d(axes)
    for ax, name, column in zip(axes, record.names, columns):
        ax.scatter(column, record.values, c=np.arange(len(column)), s=8, cmap="viridis")
        ax.set_xlabel(name)
        if name in words:
            ax.set_xticks(range(len(words[name])), words[name])
    axes[0].set_ylabel("value")
    return axes


def trajectory(fun, record, bounds=None, ax=None, resolution=80):
    """The points of a run in two variables over the level lines of ``fun``, from dark to bright. ``record`` is a record or its path."""
    record = _record(record)
    ax = _axes(ax)
    points = np.array([record.point(row) for row in record.evaluations], dtype=float)
    if points.shape[1] != 2:
        raise ValueError(f"record: has {points.shape[1]} variables, a trajectory needs 2")
    if bounds is None:
        bounds = getattr(fun, "bounds", None) or list(zip(points.min(axis=0), points.max(axis=0)))
    (x0, x1), (y0, y1) = bounds
    xs, ys = np.linspace(x0, x1, resolution), np.linspace(y0, y1, resolution)
    grid = np.array([[float(fun(np.array([x, y]))) for x in xs] for y in ys])
    ax.contour(xs, ys, np.log(grid - grid.min() + 1e-9 * (np.ptp(grid) or 1.0)), 14, colors="0.7", linewidths=0.6)
    ax.scatter(points[:, 0], points[:, 1], c=np.arange(len(points)), s=6, cmap="viridis")
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
    return ax
