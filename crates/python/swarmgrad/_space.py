"""Spaces of typed variables, and the forms that bounds may have."""

import json
import math
from collections.abc import Mapping

import numpy as np

from . import _native


class Variable:
    """A variable of a :class:`Space`."""

    objects = None
    #: Numbers that its value has; 1 of a value that is no array.
    size = 1

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        inner = ", ".join(repr(value) for key, value in self.__dict__.items() if not key.startswith("_"))
        return f"{type(self).__name__}({inner})"


class Real(Variable):
    """Any number from ``lower`` to ``upper``, either of which may be infinite."""

    def __init__(self, lower, upper):
        self.lower, self.upper = float(lower), float(upper)

    def _text(self):
        return f"{self.lower!r}:{self.upper!r}"


class Log(Variable):
    """A number above 0 whose logarithm is what matters."""

    def __init__(self, lower, upper):
        self.lower, self.upper = float(lower), float(upper)

    def _text(self):
        return f"log:{self.lower!r}:{self.upper!r}"


class Integer(Variable):
    """A whole number: ``lower``, ``lower + step``, ... up to ``upper``, which belongs to it."""

    def __init__(self, lower, upper, step=1):
        self.lower, self.upper, self.step = int(lower), int(upper), int(step)

    def _text(self):
        return f"int:{self.lower}:{self.upper}" + (f":{self.step}" if self.step != 1 else "")


class Choice(Variable):
    """One of several objects, in no order."""

    _word = "choice"

    def __init__(self, of):
        self.of = list(of)
        words = [_word(value) for value in self.of]
        if len(set(words)) < len(words):
            raise ValueError(f"{self!r}: the choices must have different texts")
        self._words = words

    @property
    def objects(self):
        return self.of

    def _text(self):
        return f"{self._word}:" + ",".join(self._words)


class Ordered(Choice):
    """One of several objects whose neighbours in the list are alike: small, medium, large."""

    _word = "ordered"


class Flag(Variable):
    """True or false."""

    def _text(self):
        return "flag"


class Simplex(Variable):
    """An array of ``size`` numbers, none below 0, whose sum is 1: shares of a whole."""

    def __init__(self, size):
        self.size = int(size)

    def _text(self):
        return f"simplex:{self.size}"


class Sorted(Variable):
    """An array of ``size`` numbers from ``lower`` to ``upper``, none less than the one before."""

    def __init__(self, lower, upper, size):
        self.lower, self.upper, self.size = float(lower), float(upper), int(size)

    def _text(self):
        return f"sorted:{self.lower!r}:{self.upper!r}:{self.size}"


class Fixed(Variable):
    """Always the same: a number, a text, true or false."""

    def __init__(self, value):
        if not isinstance(value, (bool, int, float, str)):
            raise TypeError(f"Fixed({value!r}): must be a number, a text or a flag")
        self.value = value

    def _text(self):
        value = self.value
        if isinstance(value, bool):
            return f"fixed:{str(value).lower()}"
        return f"fixed:{value!r}" if isinstance(value, (int, float)) else f"fixed:{value}"


def _word(value):
    # Commas part the words of a record.
    return str(value).replace(",", ";").strip()


class Space(Mapping):
    """Variables by name, in their order. Objectives get points as dicts, and results have them.

    >>> from swarmgrad import Choice, Integer, Log, Space
    >>> space = Space({"lr": Log(1e-5, 1), "layers": Integer(1, 8), "act": Choice(["relu", "tanh"])})

    A pair stands for :class:`Real`, a list for :class:`Choice`.
    """

    def __init__(self, variables):
        if not isinstance(variables, Mapping):
            raise TypeError(f"Space({type(variables).__name__}): must be a dict of names and variables")
        self._variables = {str(name): _variable(name, value) for name, value in variables.items()}
        #: Number of coordinates in which methods move.
        self.dim = _native.check_variables(self.texts)

    @property
    def texts(self):
        """The variables as records and the command line have them."""
        return [f"{name}={variable._text()}" for name, variable in self._variables.items()]

    def __getitem__(self, name):
        return self._variables[name]

    def __iter__(self):
        return iter(self._variables)

    def __len__(self):
        return len(self._variables)

    def __repr__(self):
        return f"Space({self._variables!r})"

    def __reduce__(self):
        return Space, (self._variables,)

    def objects(self):
        """The objects of choices, None for other numbers, a place a number."""
        return [variable.objects for variable in self._variables.values() for _ in range(variable.size)]

    def encode(self, points):
        """The coordinates of points that are dicts, or lists in the order of the variables."""
        rows = []
        for point in points:
            if isinstance(point, Mapping):
                if set(point) != set(self):
                    raise ValueError(f"a point names {sorted(point)}, expected {sorted(self)}")
                point = [point[name] for name in self]
            if len(point) != len(self):
                raise ValueError(f"a point has {len(point)} values, expected {len(self)}")
            row = []
            for name, value in zip(self, point):
                variable = self[name]
                if not isinstance(variable, (Simplex, Sorted)):
                    row.append(_plain(variable, value))
                    continue
                numbers = np.asarray(value, dtype=float)
                if numbers.shape != (variable.size,):
                    raise ValueError(f"{name} has shape {numbers.shape}, expected ({variable.size},)")
                row.extend(numbers.tolist())
            rows.append(row)
        return _native.encode(self.texts, json.dumps(rows))

    def decode(self, x):
        """What a point of the coordinates means: a dict."""
        return self.named(json.loads(_native.decode(self.texts, [float(t) for t in x])))

    def named(self, values):
        """A dict of values as a report has them."""
        values, named = iter(values), {}
        for name, variable in self._variables.items():
            if isinstance(variable, (Simplex, Sorted)):
                named[name] = np.array([number(next(values)) for _ in range(variable.size)])
            else:
                named[name] = self._object(name, next(values))
        return named

    def _object(self, name, value):
        variable = self[name]
        if isinstance(variable, Choice):
            return variable.of[variable._words.index(value)]
        if isinstance(variable, (Real, Log)):
            return number(value)
        return value


def _variable(name, value):
    if isinstance(value, Variable):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return Real(*value)
    if isinstance(value, list):
        return Choice(value)
    raise TypeError(f"variable {name}: {value!r} is no variable; a pair of bounds, a list of choices, Log, Integer, ... are")


def _plain(variable, value):
    if isinstance(variable, Choice):
        return _word(value)
    return value.item() if isinstance(value, np.generic) else value


def number(value):
    """A number of a report, where JSON has no infinities and no NaN."""
    return float(value) if isinstance(value, (int, float, str)) else value


def read_bounds(bounds):
    """Lower and upper ends of SciPy's ``Bounds``, of pairs, of an ``(d, 2)`` array; None is no bound."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        lower, upper = np.broadcast_arrays(np.atleast_1d(bounds.lb), np.atleast_1d(bounds.ub))
        pairs = list(zip(lower.tolist(), upper.tolist()))
    else:
        pairs = [tuple(pair) if np.ndim(pair) or isinstance(pair, (tuple, list)) else pair for pair in bounds]
    wrong = [pair for pair in pairs if not (isinstance(pair, tuple) and len(pair) == 2)]
    if not pairs or wrong:
        raise ValueError(f"bounds = {bounds!r}: must be a pair (lower, upper) for each variable, a Space or scipy's Bounds")
    lower = [-math.inf if low is None else float(low) for low, _ in pairs]
    upper = [math.inf if high is None else float(high) for _, high in pairs]
    return lower, upper


def bounds_text(lower, upper):
    """Bounds as a study has them, and their number."""
    pair = {f"{low!r}:{high!r}" for low, high in zip(lower, upper)}
    if len(pair) == 1:
        return pair.pop(), len(lower)
    return ",".join(f"{low!r}:{high!r}" for low, high in zip(lower, upper)), len(lower)
