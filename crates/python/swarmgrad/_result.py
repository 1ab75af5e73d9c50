"""What a run came to, under SciPy's names."""

import html
import math

import numpy as np

_ORDER = ["message", "success", "status", "fun", "x", "nit", "nfev", "njev", "method", "seed", "account", "failures", "seconds"]


class OptimizeResult(dict):
    """The result of a run: a dict whose keys are attributes, as SciPy's.

    ``x`` is the best point (a dict where the space has names), ``fun`` its value, ``nfev`` the evaluations, ``nit`` the
    iterations, ``message`` why it ended, ``history`` the best value (``fun``) after so many evaluations (``nfev``), ``seed``
    what repeats the run to the bit.
    """

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self):
        return list(self.keys()) + list(super().__dir__())

    def __repr__(self):
        keys = [key for key in _ORDER if key in self]
        keys += [key for key in ("noise", "several", "front", "hypervolume") if self.get(key) is not None]
        if not keys:
            keys = list(self)
        width = max((len(key) for key in keys), default=0)
        lines = []
        for key in keys:
            text = repr(self[key]).replace("\n", "\n" + " " * (width + 2))
            lines.append(f"{key.rjust(width)}: {text}")
        return "\n".join(lines)

    def _repr_html_(self):
        keys = [key for key in _ORDER if key in self]
        cell = "<tr><th style='text-align:right'>{}</th><td style='text-align:left'>{}</td></tr>"
        rows = "".join(cell.format(key, html.escape(_short(self[key]))) for key in keys)
        return f"<div><table>{rows}</table>{curve_svg(self.get('history'))}</div>"


def _short(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=6, threshold=8)
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_short(item)}" for key, item in value.items())
    return str(value)


def curve_svg(history, width=420, height=200):
    """The convergence curve as inline SVG: best value over evaluations, on a logarithmic scale where all values are above 0."""
    if not history or len(history["nfev"]) < 2:
        return ""
    xs, ys = [float(n) for n in history["nfev"]], [float(v) for v in history["fun"]]
    last = float(history.get("end", xs[-1]))
    log = min(ys) > 0
    scale = math.log10 if log else float
    values = [scale(y) for y in ys]
    low, high = min(values), max(values)
    left, right, top, bottom = 64, width - 12, 12, height - 34
    span_x, span_y = max(last - xs[0], 1.0), (high - low) or 1.0

    def place(x, value):
        return left + (right - left) * (x - xs[0]) / span_x, bottom - (bottom - top) * (value - low) / span_y

    steps = []
    for k, (x, value) in enumerate(zip(xs, values)):
        px, py = place(x, value)
        steps.append(f"{'H' if k else 'M'}{px:.1f}{'V' if k else ','}{py:.1f}")
    steps.append(f"H{place(last, values[-1])[0]:.1f}")
    label = "<text x='{:.1f}' y='{:.1f}' font-size='11' text-anchor='{}' fill='currentColor'>{}</text>"
    texts = [
        label.format(left - 6, top + 8, "end", f"{_value(high, log):.3g}"),
        label.format(left - 6, bottom, "end", f"{_value(low, log):.3g}"),
        label.format(left, bottom + 16, "start", f"{xs[0]:,.0f}"),
        label.format(right, bottom + 16, "end", f"{last:,.0f}"),
        label.format((left + right) / 2, bottom + 30, "middle", "evaluations"),
    ]
    frame = f"<path d='M{left},{top}V{bottom}H{right}' fill='none' stroke='currentColor' stroke-opacity='.4'/>"
    line = f"<path d='{''.join(steps)}' fill='none' stroke='#1f77b4' stroke-width='1.5'/>"
    about = "best value over evaluations"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' role='img' aria-label='{about}'>"
    return f"{head}{frame}{line}{''.join(texts)}</svg>"


def _value(scaled, log):
    return 10.0**scaled if log else scaled
