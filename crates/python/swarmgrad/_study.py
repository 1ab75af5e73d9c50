"""A run as an object: its arguments, kept."""

import difflib
import inspect

from ._compare import minimize_many
from ._minimize import minimize

_DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(minimize).parameters.items()}


class Study:
    """The arguments of :func:`minimize` under their names, to be run once, again, or many times.

    >>> study = Study(lambda x: ((x - 1) ** 2).sum(), [(-5, 5)] * 3, method="de", maxfun=900)
    >>> study.run(rng=1).nfev
    900
    >>> study.maxfun, study.patience
    (900, None)
    """

    def __init__(self, fun, bounds=None, args=(), **arguments):
        self.arguments = {"fun": fun, "bounds": bounds, "args": args, **_known(arguments)}

    def run(self, rng=None, **changes):
        """What :func:`minimize` gives with these arguments. ``rng`` and the ``changes`` are for this run alone."""
        arguments = self._with({**changes, "rng": rng} if rng is not None else changes)
        return minimize(**arguments)

    def repeat(self, runs, **changes):
        """So many runs, the seeds ``rng``, ``rng + 1``, ... from 0 where none is given, as a :class:`Comparison`.

        A file of ``record`` or ``resume`` holds one run, so neither may be among the arguments.
        """
        arguments = self._with(changes)
        for name in ("record", "resume"):
            if arguments.pop(name, None) is not None:
                raise ValueError(f"{name}: a file holds one run; leave it out where runs are repeated")
        fun, method = arguments.pop("fun"), arguments.pop("method", _DEFAULTS["method"])
        first = [arguments.pop(name, None) for name in ("rng", "seed")]
        first = next((rng for rng in first if rng is not None), 0)
        return minimize_many(fun, method, runs=runs, rng=first, **arguments)

    def _with(self, changes):
        arguments = dict(self.arguments)
        if "rng" in changes or "seed" in changes:
            # Two names of one thing: what is asked for now counts.
            arguments.pop("rng", None), arguments.pop("seed", None)
        return {**arguments, **_known(changes)}

    def __getattr__(self, name):
        if name in _DEFAULTS:
            return self.__dict__["arguments"].get(name, _DEFAULTS[name])
        raise AttributeError(f"'Study' object has no attribute {name!r}")

    def __repr__(self):
        given = (f"{name}={value!r}" for name, value in self.arguments.items() if value is not _DEFAULTS[name])
        return f"Study({', '.join(given)})"


def _known(arguments):
    for name in arguments:
        if name not in _DEFAULTS:
            near = difflib.get_close_matches(name, _DEFAULTS, 1)
            raise TypeError(f"{name!r} is no argument of minimize" + (f"; did you mean {near[0]!r}?" if near else ""))
    return arguments
