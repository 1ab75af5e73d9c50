"""Records of runs: what ``minimize(record=...)`` and the program's ``--record`` write, read back."""

import json
import os
import zlib

import numpy as np

from ._space import number

__all__ = ["Record", "read"]


def read(path):
    """Reads a record. Every line's checksum is compared; a torn last line, which a kill leaves, is left out."""
    crc, lines, name = 0, [], os.fspath(path)
    with open(path, "rb") as file:
        raw = file.read().split(b"\n")
    for k, line in enumerate(raw[:-1]):
        at = line.rfind(b',"crc":')
        crc = zlib.crc32(line[:at], crc)
        try:
            row = json.loads(line)
        except ValueError:
            row = {}
        if at < 0 or row.get("crc") != f"{crc:08x}":
            if k < len(raw) - 2:
                raise ValueError(f"{name}: line {k + 1} is damaged")
            break
        lines.append(row)
    if not lines or lines[0].get("kind") != "header":
        raise ValueError(f"{name}: no record of a run")
    return Record(lines)


class Record:
    """A run that was recorded: ``study`` is what was asked for, ``evaluations`` a dict an evaluation, ``results`` how it ended."""

    def __init__(self, lines):
        self.study = lines[0]["study"]
        self.maximize = bool(lines[0].get("maximize"))
        self.evaluations = [row for row in lines if row["kind"] == "evaluation"]
        self.results = [row for row in lines if row["kind"] == "result"]
        self.names = list(lines[0].get("names", []))
        if not self.names and self.evaluations:
            self.names = [f"x{j}" for j in range(len(self.evaluations[0]["x"]))]

    def __len__(self):
        return len(self.evaluations)

    def __repr__(self):
        return f"<Record: {self.study.get('method')}, {len(self)} evaluations>"

    def point(self, row):
        """The values of an evaluation's variables, in the order of ``names``."""
        x = row["x"]
        if isinstance(x, dict):
            return [number(value) if isinstance(value, float) else value for value in (x[name] for name in self.names)]
        return [number(value) for value in x]

    @property
    def values(self):
        """The values of the evaluations, NaN for those that failed."""
        rows = self.evaluations
        return np.array([np.nan if "failure" in row else number(row["value"]) for row in rows], dtype=float)

    @property
    def history(self):
        """The best value after so many evaluations, as in the result of a run."""
        values = -self.values if self.maximize else self.values
        best, at, course = np.inf, [], []
        for k, value in enumerate(values):
            if value < best:
                best = value
                at.append(k + 1)
                course.append(-value if self.maximize else value)
        return {"nfev": np.array(at, dtype=np.int64), "fun": np.array(course), "end": len(values)}

    def pandas(self):
        """A DataFrame with a row an evaluation: number, round, the variables, value, failure, seconds, worker."""
        import pandas

        rows = []
        for row, value in zip(self.evaluations, self.values):
            known = {"id": row["id"], "round": row["round"], **dict(zip(self.names, self.point(row)))}
            rows.append({**known, "value": value, "failure": row.get("failure"), "seconds": row.get("seconds"),
                         "worker": row.get("worker")})
        return pandas.DataFrame(rows)

    def optuna(self, storage=None, study_name=None):
        """An Optuna study with a trial an evaluation, in ``storage``: its dashboard opens it."""
        import optuna

        direction = "maximize" if self.maximize else "minimize"
        study = optuna.create_study(storage=storage, study_name=study_name, direction=direction)
        distributions = self._distributions(optuna)
        for row, value in zip(self.evaluations, self.values):
            state = optuna.trial.TrialState.FAIL if np.isnan(value) else optuna.trial.TrialState.COMPLETE
            params = dict(zip(self.names, self.point(row)))
            for name, distribution in distributions.items():
                if isinstance(distribution, optuna.distributions.IntDistribution):
                    params[name] = int(params[name])
            trial = optuna.trial.create_trial(
                state=state,
                value=None if np.isnan(value) else float(value),
                params={name: params[name] for name in distributions},
                distributions=distributions,
                user_attrs={"id": row["id"], "round": row["round"], "failure": row.get("failure")},
            )
            study.add_trial(trial)
        return study

    def tensorboard(self, folder):
        """Writes events for TensorBoard into ``folder``: ``value`` and ``best`` after so many evaluations, and the variables that are
        numbers as ``x/name``. Needs the package tensorboardX, or PyTorch with tensorboard."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise ImportError("tensorboard: needs the package tensorboardX, or PyTorch with tensorboard") from None
        history = self.history
        best = dict(zip(history["nfev"].tolist(), history["fun"].tolist()))
        with SummaryWriter(os.fspath(folder)) as writer:
            for step, (row, value) in enumerate(zip(self.evaluations, self.values), 1):
                if not np.isnan(value):
                    writer.add_scalar("value", float(value), step)
                if step in best:
                    writer.add_scalar("best", best[step], step)
                for name, coordinate in zip(self.names, self.point(row)):
                    if isinstance(coordinate, (int, float)):
                        writer.add_scalar(f"x/{name}", float(coordinate), step)

    def _distributions(self, optuna):
        from ._minimize import _space_of_texts
        from ._space import Choice, Fixed, Flag, Integer, Log, Simplex, Sorted

        d = optuna.distributions
        if not self.study.get("variables"):
            # Wide enough for what was asked: Optuna knows no infinite bounds.
            points = np.array([self.point(row) for row in self.evaluations], dtype=float).reshape(-1, len(self.names))
            lower, upper = points.min(axis=0), points.max(axis=0)
            return {name: d.FloatDistribution(low, high) for name, low, high in zip(self.names, lower, upper)}
        found = {}
        for name, variable in _space_of_texts(self.study["variables"]).items():
            if isinstance(variable, Choice):
                found[name] = d.CategoricalDistribution(variable.of)
            elif isinstance(variable, Flag):
                found[name] = d.CategoricalDistribution([False, True])
            elif isinstance(variable, Fixed):
                found[name] = d.CategoricalDistribution([variable.value])
            elif isinstance(variable, (Simplex, Sorted)):
                ends = (0.0, 1.0) if isinstance(variable, Simplex) else (variable.lower, variable.upper)
                for k in range(variable.size):
                    found[f"{name}{k}"] = d.FloatDistribution(*ends)
            elif isinstance(variable, Integer):
                found[name] = d.IntDistribution(variable.lower, variable.upper, step=variable.step)
            else:
                found[name] = d.FloatDistribution(variable.lower, variable.upper, log=isinstance(variable, Log))
        return found
