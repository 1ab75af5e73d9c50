"""Hyperparameters of scikit-learn's estimators."""

import numpy as np
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state

from ._optimizer import Optimizer
from ._space import Space

__all__ = ["SwarmSearchCV"]


class SwarmSearchCV(BaseSearchCV):
    """As ``RandomizedSearchCV``, with points that a method chooses: all candidates of a round are fitted together.

    >>> SwarmSearchCV(SVC(), {"C": Log(1e-3, 1e3), "kernel": Choice(["rbf", "linear"])}, n_iter=60)   # doctest: +SKIP

    ``space`` is a :class:`swarmgrad.Space` or a dict, ``n_iter`` the number of candidates, ``method`` a name of
    :func:`swarmgrad.list_methods`.
    """

    def __init__(self, estimator, space, *, n_iter=50, method="auto", options=None, scoring=None, n_jobs=None, refit=True,
                 cv=None, verbose=0, pre_dispatch="2*n_jobs", random_state=None, error_score=np.nan,
                 return_train_score=False):
        self.space, self.n_iter, self.method, self.options = space, n_iter, method, options
        self.random_state = random_state
        super().__init__(estimator=estimator, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv, verbose=verbose,
                         pre_dispatch=pre_dispatch, error_score=error_score, return_train_score=return_train_score)

    def _run_search(self, evaluate_candidates):
        space = self.space if isinstance(self.space, Space) else Space(self.space)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        opt = Optimizer(space, method=self.method, budget=self.n_iter, rng=seed, options=self.options, maximize=True)
        name = self.refit if isinstance(self.refit, str) else "score"
        while not opt.done:
            points = opt.ask()
            results = evaluate_candidates(points)
            if f"mean_test_{name}" not in results:
                raise ValueError("refit: with several metrics it must name the one that is searched by")
            for number, score in zip(opt.ids, results[f"mean_test_{name}"][-len(points):]):
                opt.tell_one(number, float(score))
