"""Ask and tell: a run that the caller drives."""

import json
import os
import time

import numpy as np

from . import _native
from ._constraints import _list
from ._minimize import _result, _seed, _study, history
from ._result import OptimizeResult
from ._space import number

FORMAT = 1


class Optimizer:
    """A method that is asked for points and told their values.

    >>> from swarmgrad import Optimizer
    >>> opt = Optimizer([(-5, 5)] * 2, method="cma_es", budget=500, rng=1)
    >>> while not opt.done:
    ...     xs = opt.ask()
    ...     opt.tell((xs**2).sum(axis=1))
    >>> bool(opt.result.fun < 1e-6)
    True

    A run is its values: pickling, copying and saving keep what the run is and what it has been told, and tell it again.
    """

    def __init__(self, space, *, method="auto", budget=None, x0=None, rng=None, seed=None, options=None, maximize=False,
                 noisy=False, target=None, quorum=1.0, constraints=(), constraint_tolerance=None, residuals=False, loss=None, objectives=None, outside=None,
                 record=None, overwrite=False):
        if not all(isinstance(constraint, str) for constraint in _list(constraints)):
            raise ValueError("constraints: texts, whose names are variables or values that are told: 'stress <= 3'")
        study, named, _ = _study(
            _objective,
            space,
            method=method,
            x0=x0,
            constraints=constraints,
            constraint_tolerance=constraint_tolerance,
            residuals=residuals,
            loss=loss,
            objectives=objectives,
            maxfun=budget,
            maxiter=None,
            target=target,
            time_limit=None,
            patience=None,
            tolerance=None,
            quorum=quorum,
            noisy=noisy,
            maximize=maximize,
            outside=outside,
            seed=_seed(rng, seed),
            options=options,
        )
        study["program"]["function"] = "ask and tell"
        self._begin(study, named, record, overwrite)

    def _begin(self, study, space, record=None, overwrite=False):
        self._study, self._space, self._record = study, space, record
        objects = space.objects() if space is not None else []
        self._driver = _native.Driver(json.dumps(study), objects, record, overwrite, False)
        # Coordinates of the points that are out and when they were given out, by number; what has been told, in its order.
        self._out, self._told, self._handed, self._result = {}, [], 0, None

    @property
    def space(self):
        """The :class:`Space`, None where the variables have no names."""
        return self._space

    @property
    def done(self):
        """Whether the run has ended."""
        return self._driver.ended is not None

    def ask(self, n=None):
        """Points to be evaluated: an ``(n, d)`` array, or a list of dicts where the space has names.

        Without ``n`` all points of the round that have no value yet, so that asking twice gives the same points; with ``n``
        up to so many that nobody has been given yet, none while the values of others are waited for. Their numbers are
        :attr:`ids`. Empty when the run has ended.
        """
        before = list(self._out)
        self._hand(1 << 62 if n is None else int(n))
        self._asked = [number for number in self._out if n is None or number not in before]
        rows = [self._out[number][0] for number in self._asked]
        if self._space is not None:
            return self._driver.points(np.concatenate(rows)) if rows else []
        return np.array(rows).reshape(len(rows), self._driver.dim)

    def _hand(self, most):
        while most > 0 and not self.done:
            first, rows, _ = self._driver.ask(most)
            if len(rows) == 0:
                return
            now = time.monotonic()
            self._out.update((first + k, (row, now)) for k, row in enumerate(rows))
            self._handed = first + len(rows)
            most -= len(rows)

    @property
    def ids(self):
        """The numbers of the points of the last :meth:`ask`."""
        return list(getattr(self, "_asked", []))

    @property
    def constraint_names(self):
        """The names in the constraints that are no variables: what is told with every value, in this order."""
        return self._driver.answered

    def tell(self, values, constraints=None):
        """Takes the values of the points of the last :meth:`ask`, in their order. NaN is a failed point. ``constraints`` has a
        row a point with the values of :attr:`constraint_names`."""
        values = np.asarray(values, dtype=float)
        asked = self.ids
        if self._driver.has_parts:
            if values.ndim != 2 or len(values) != len(asked):
                raise ValueError(f"values have shape {values.shape}, expected ({len(asked)}, n)")
        elif values.shape not in ((len(asked),), (len(asked), 1)):
            raise ValueError(f"values have shape {values.shape}, expected ({len(asked)},)")
        else:
            values = values.ravel()
        rows = [None] * len(asked)
        if constraints is not None:
            rows = np.asarray(constraints, dtype=float)
            if rows.shape != (len(asked), len(self.constraint_names)):
                raise ValueError(f"constraints have shape {rows.shape}, expected {(len(asked), len(self.constraint_names))}")
            rows = rows.tolist()
        for number_, value, row in zip(asked, values.tolist(), rows):
            self.tell_one(number_, value, constraints=row)

    def tell_one(self, id, value, failure=None, constraints=None):
        """Takes the value of one point, in any order, with those of :attr:`constraint_names`; or the text that says why it has
        none."""
        value = _native.parts_of(value) if self._driver.has_parts and failure is None else _native.number_of(value)
        kind, id = None if failure is None else "rejected", int(id)
        # How long it took is not known better than this; a record is the sooner on the disk the longer it was.
        seconds = time.monotonic() - self._out[id][1] if id in self._out else 0.0
        if failure is None and len(constraints or ()) != len(self.constraint_names):
            raise ValueError(f"constraints: {len(constraints or ())} values, expected {len(self.constraint_names)}")
        self._driver.tell(id, value, kind, failure, seconds, 0, 1, None, constraints)
        self._told.append((id, value, failure, constraints))
        self._out.pop(id, None)

    def stop(self):
        """Ends the run."""
        self._driver.stop("ended by the caller")

    @property
    def result(self):
        """The result so far, as that of :func:`minimize`."""
        if self._result is not None:
            return self._result
        if self.done and self._driver.best() is not None:
            # More cannot come: points that are out no longer count.
            self._result = _result(self._driver.report(), self._driver.curve(), self._space)
            return self._result
        state = OptimizeResult(json.loads(self._driver.state()))
        best = self._driver.best()
        x, fun = (best[0], best[1]) if best is not None else (None, float("inf"))
        if x is not None and self._space is not None:
            x = self._space.decode(x)
        state.update(x=x, fun=fun, success=False, status=0, method=self._study["method"], seed=self._study["seed"])
        state["history"] = history(self._driver.curve(), state["nfev"])
        return state

    def __getstate__(self):
        state = {"study": self._study, "space": self._space, "told": self._told, "handed": self._handed}
        best = self.result if self._handed else None
        return {**state, "fun": None if best is None else best.fun, "asked": self.ids}

    def __setstate__(self, state):
        self._begin(state["study"], state["space"])
        for id, value, failure, constraints in state["told"]:
            # With a quorum the next round may begin before this one is complete.
            while id >= self._handed and id not in self._out:
                handed = self._handed
                self._hand(1 << 62)
                if self._handed == handed:
                    break
            self.tell_one(id, value, failure, constraints)
        if self._handed < state["handed"]:
            self._hand(state["handed"] - self._handed)
        self._asked = list(state["asked"])
        fun = self.result.fun if self._handed else None
        if fun != state["fun"] and not (fun != fun and state["fun"] != state["fun"]):
            raise ValueError("this version of swarmgrad takes another course than the one that saved the run")

    def save(self, path):
        """Writes the run to a file, JSON."""
        state = self.__getstate__()
        state["told"] = [(id, _json_number(value), *more) for id, value, *more in state["told"]]
        state["fun"] = None if state["fun"] is None else _json_number(state["fun"])
        state["space"] = None
        text = json.dumps({"kind": "swarmgrad ask and tell", "format": FORMAT, "version": _native.__version__, **state})
        _native.write_whole(os.fspath(path), text)

    @classmethod
    def load(cls, path, space=None):
        """Reads what :meth:`save` wrote. Where choices are objects other than texts, ``space`` has them again."""
        from ._minimize import _same_space

        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        if state.get("kind") != "swarmgrad ask and tell" or state.get("format") != FORMAT:
            raise ValueError(f"{os.fspath(path)}: no run that Optimizer.save has written")
        state["told"] = [(id, number(value), *more) for id, value, *more in state["told"]]
        state["fun"] = number(state["fun"])
        if state["study"].get("variables"):
            state["space"] = _same_space(space, state["study"])
        made = cls.__new__(cls)
        made.__setstate__(state)
        return made

    def __copy__(self):
        made = type(self).__new__(type(self))
        made.__setstate__(self.__getstate__())
        return made

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __repr__(self):
        ended = self._driver.ended
        return f"<Optimizer {self._study['method']}: {len(self._told)} values{', ended: ' + ended if ended else ''}>"


def _objective(x):
    raise NotImplementedError("the caller evaluates")


def _json_number(value):
    value = float(value)
    return value if abs(value) < float("inf") else str(value)
