"""All methods as a sampler of Optuna."""

import hashlib
import json
import math

import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import TrialState

from ._optimizer import Optimizer
from ._space import Choice, Integer, Log, Real, Space

__all__ = ["SwarmgradSampler"]

ATTRIBUTE = "swarmgrad:point"


class SwarmgradSampler(BaseSampler):
    """Samples by a swarmgrad method: ``optuna.create_study(sampler=SwarmgradSampler("auto", n_trials=200, seed=1))``.

    ``n_trials`` is what the method plans by. Points of the method are numbered, and a trial keeps its number as a system
    attribute: every process, and a study that is loaded again, finds from the trials what to ask for next. A pruned trial counts
    with its last intermediate value, a failed one as a failed point. Trials for which no point of the method is left while others
    are still running, and variables that not all trials have, are drawn at random.
    """

    def __init__(self, method="auto", *, n_trials=1000, seed=None, options=None):
        self._method, self._budget, self._options = method, int(n_trials), options
        self._random = RandomSampler(seed)
        self._seed = seed
        self._spaces = IntersectionSearchSpace(include_pruned=True)
        self._runs = {}

    def reseed_rng(self):
        self._random.reseed_rng()

    def infer_relative_search_space(self, study, trial):
        if len(study.directions) > 1:
            raise ValueError("SwarmgradSampler: one objective, and the study has " + str(len(study.directions)))
        space = self._spaces.calculate(study)
        return {name: distribution for name, distribution in sorted(space.items()) if not distribution.single()}

    def sample_relative(self, study, trial, search_space):
        if not search_space:
            return {}
        trials = study.get_trials(deepcopy=False)
        run = self._run(study, search_space)
        number = run.learn(trials, trial.number)
        if number is None:
            return {}
        study._storage.set_trial_system_attr(trial._trial_id, ATTRIBUTE, [run.key, number])
        return run.params(number)

    def sample_independent(self, study, trial, param_name, param_distribution):
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _run(self, study, search_space):
        written = {name: optuna.distributions.distribution_to_json(d) for name, d in search_space.items()}
        key = hashlib.sha256(json.dumps([self._method, written], sort_keys=True).encode()).hexdigest()[:16]
        if key not in self._runs:
            seed = self._seed
            if seed is None:
                # All processes of a study must take the same course.
                seed = int(hashlib.sha256(study.study_name.encode()).hexdigest()[:12], 16)
            maximize = study.direction == optuna.study.StudyDirection.MAXIMIZE
            self._runs[key] = _Run(key, search_space, self._method, self._budget, seed, self._options, maximize)
        return self._runs[key]


class _Run:
    """A run over one search space, fed from the trials of a study."""

    def __init__(self, key, search_space, method, budget, seed, options, maximize):
        self.key, self.distributions = key, search_space
        space = Space({name: _variable(distribution) for name, distribution in search_space.items()})
        self.opt = Optimizer(space, method=method, budget=budget, rng=seed, options=options, maximize=maximize)
        self.points, self.told = {}, set()

    def learn(self, trials, own):
        """Tells what the trials found; the number of a point that nobody has, None where there is none."""
        mine = {}
        for trial in trials:
            key, number = trial.system_attrs.get(ATTRIBUTE, (None, None))
            if key == self.key:
                mine.setdefault(number, []).append(trial)
        while True:
            waiting = dict(zip(*self._ask()))
            news = False
            for number in waiting:
                value = next((v for v in map(_value, mine.get(number, [])) if v is not None), None)
                if value is not None:
                    self.opt.tell_one(number, value, "the trial failed" if math.isnan(value) else None)
                    news = True
            if not news:
                break
        self.points = waiting
        finished = [trial.number for trial in trials if trial.state.is_finished()]
        for number in waiting:
            # One whose process has been lost is handed out again when a round's worth of later trials have ended.
            holders = [trial for trial in mine.get(number, []) if trial.number != own]
            newest = max((trial.number for trial in holders), default=None)
            if newest is None or sum(other > newest for other in finished) > len(waiting) + 1:
                return number
        return None

    def _ask(self):
        points = self.opt.ask()
        return self.opt.ids, points

    def params(self, number):
        return {name: _external(self.distributions[name], value) for name, value in self.points[number].items()}


def _value(trial):
    """What a trial says of its point: a value, NaN for none, None while it runs."""
    if trial.state == TrialState.COMPLETE:
        return float(trial.value)
    if trial.state == TrialState.PRUNED:
        last = trial.last_step
        return float(trial.intermediate_values[last]) if last is not None else math.nan
    return math.nan if trial.state == TrialState.FAIL else None


def _variable(d):
    if isinstance(d, optuna.distributions.CategoricalDistribution):
        return Choice(range(len(d.choices)))
    if isinstance(d, optuna.distributions.IntDistribution):
        if d.log:
            return Log(d.low, d.high)
        return Integer(d.low, d.low + (d.high - d.low) // d.step * d.step, d.step)
    if d.step is not None:
        return Integer(0, round((d.high - d.low) / d.step))
    return Log(d.low, d.high) if d.log else Real(d.low, d.high)


def _external(d, value):
    if isinstance(d, optuna.distributions.CategoricalDistribution):
        return d.choices[value]
    if isinstance(d, optuna.distributions.IntDistribution):
        return min(max(round(value), d.low), d.high) if d.log else value
    return min(d.low + value * d.step, d.high) if d.step is not None else value
