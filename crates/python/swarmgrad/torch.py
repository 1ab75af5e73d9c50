"""Losses without a gradient in PyTorch: a swarm looks for better outputs, backpropagation carries the rest."""

import torch

from ._lend import Lender
from ._minimize import minimize

__all__ = ["SwarmLoss", "Through", "minimize_module", "quality"]


class Torch:
    """What the arithmetic of the estimators needs beyond operators."""

    exp, where, concat, solve = torch.exp, torch.where, torch.cat, torch.linalg.solve

    @staticmethod
    def like(values, other):
        return torch.as_tensor(values, dtype=other.dtype, device=other.device)

    @staticmethod
    def host(values):
        return values.detach().cpu().numpy()

    @staticmethod
    def tile(rows, many):
        return rows.repeat(many, *(1,) * (rows.dim() - 1))

    @staticmethod
    def finite(values, other=0.0):
        return torch.where(torch.isfinite(values), values, torch.full_like(values, other))

    @staticmethod
    def or_inf(values):
        return torch.where(torch.isnan(values), torch.full_like(values, float("inf")), values)

    @staticmethod
    def above(values):
        return torch.where(values > 0, values, torch.ones_like(values))

    @staticmethod
    def least(values):
        return values.amin(0)

    @staticmethod
    def transpose(matrices):
        return matrices.transpose(-1, -2)

    @staticmethod
    def swap(values):
        return values.transpose(0, 1)

    @staticmethod
    def best(points, values):
        at = values.argmin(0)
        index = at[None, :, None].expand(1, points.shape[1], points.shape[2])
        return points.gather(0, index)[0], values.gather(0, at[None])[0]


class _Lent(torch.autograd.Function):
    """Values of the samples; backwards the gradient that has been lent, by the chain rule."""

    generate_vmap_rule = False

    @staticmethod
    def forward(outputs, targets, lender):
        with torch.no_grad():
            value, gradient = lender(Torch, outputs.detach(), targets.detach())
        return value.to(outputs.dtype), gradient.to(outputs.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output):
        value, gradient = output
        ctx.mark_non_differentiable(gradient)
        ctx.save_for_backward(gradient)
        ctx.samples = value.shape[0]

    @staticmethod
    def backward(ctx, above, _):
        (gradient,) = ctx.saved_tensors
        # With a swarm an element the values are elements, those of a row one after another.
        if ctx.samples == gradient.numel():
            wide = above.reshape(gradient.shape)
        else:
            # A value a sample, or one for the batch.
            wide = above.reshape(ctx.samples, *(1,) * (gradient.dim() - 1))
        return wide * gradient, None, None


class SwarmLoss(torch.nn.Module):
    """A loss of any kind as a layer: its value forwards, a swarm's gradient backwards.

    >>> wrong = SwarmLoss(lambda out, y: (out.argmax(1) != y).float(), kind="consensus", sigma=1.0)   # doctest: +SKIP
    >>> wrong(model(x), y).backward()                                                                  # doctest: +SKIP

    ``loss(outputs, targets)`` returns a value a sample, without a mean, or is a name of :func:`swarmgrad.list_losses`, which is much
    faster: ``SwarmLoss("zero_one", "consensus", sigma=1.0)``. ``kind``, ``per`` and the settings are those of
    :func:`swarmgrad.lend`. Any device; equal seeds give equal gradients. The points that are tried never know the targets but
    through the loss.
    """

    def __init__(self, loss, kind="prox", *, per=None, seed=0, reduction="mean", **settings):
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction = {reduction!r}: must be 'mean', 'sum' or 'none'")
        self.lender, self.reduction = Lender(loss, kind, per, seed, **settings), reduction

    def forward(self, outputs, targets):
        values, _ = _Lent.apply(outputs, targets, self.lender)
        return values if self.reduction == "none" else getattr(values, self.reduction)()

    def extra_repr(self):
        return f"kind={self.lender.kind!r}, per={self.lender.per!r}, {self.lender.settings}"


class Through(torch.nn.Module):
    """A part of a network without a gradient, a quantiser or a simulator: ``fun`` maps rows of inputs to rows of outputs.

    Backwards a swarm looks, around each row of inputs, for what lowers ``<g, fun(z)>``, where g comes from above: the
    gradient of that product, smoothed as ``kind`` says.
    """

    def __init__(self, fun, kind="es", *, seed=0, **settings):
        super().__init__()
        self.fun, self.lender = fun, Lender(self._product, kind, "sample", seed, **settings)

    def _product(self, rows, above):
        return (self.fun(rows).reshape(rows.shape[0], -1) * above.reshape(rows.shape[0], -1)).sum(1)

    def forward(self, inputs):
        return _Through.apply(inputs, self)


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(inputs, layer):
        with torch.no_grad():
            return layer.fun(inputs.detach())

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.layer = inputs[1]

    @staticmethod
    def backward(ctx, above):
        (inputs,) = ctx.saved_tensors
        with torch.no_grad():
            _, gradient = ctx.layer.lender(Torch, inputs.detach(), above.detach())
        return gradient.to(inputs.dtype), None


def quality(loss, outputs, targets, kind="prox", *, repeats=20, **settings):
    """How good the lent gradient is where autograd has one: mean ``cosine`` between both, ``bias`` (length of the mean's
    error over the gradient's length) and ``spread`` (deviation of single estimates over that length)."""
    leaf = outputs.detach().clone().requires_grad_()
    (exact,) = torch.autograd.grad(loss(leaf, targets).sum(), leaf)
    lender = Lender(loss, kind, **settings)
    with torch.no_grad():
        found = torch.stack([lender(Torch, outputs.detach(), targets)[1] for _ in range(repeats)])
    length = exact.norm()
    cosine = torch.nn.functional.cosine_similarity(found.flatten(1), exact.flatten()[None]).mean()
    mean = found.mean(0)
    spread = ((found - mean) ** 2).flatten(1).sum(1).mean().sqrt()
    return {"cosine": float(cosine), "bias": float((mean - exact).norm() / length), "spread": float(spread / length)}


def minimize_module(model, loss, data, *, method="pso_sde", radius=1.0, **arguments):
    """Trains a network without any gradient: a population of its weights, evaluated together.

    ``loss(outputs, targets)`` is a number, ``data`` the pair of inputs and targets. The weights stay within ``radius`` of what
    they are. Returns the result of :func:`swarmgrad.minimize`, which takes the other arguments; the model has the best weights.
    """
    inputs, targets = data
    names, parameters = zip(*model.named_parameters())
    begin = torch.nn.utils.parameters_to_vector(parameters).detach()
    sizes = [parameter.numel() for parameter in parameters]

    def one(vector):
        parts = vector.split(sizes)
        weights = {name: part.reshape(p.shape) for name, part, p in zip(names, parts, parameters)}
        return loss(torch.func.functional_call(model, weights, (inputs,)), targets)

    def many(vectors):
        with torch.no_grad():
            rows = torch.as_tensor(vectors, dtype=begin.dtype, device=begin.device)
            return torch.func.vmap(one, randomness="different")(rows).double().cpu().numpy()

    center = begin.double().cpu().numpy()
    bounds = [(w - radius, w + radius) for w in center.tolist()]
    result = minimize(many, bounds, method=method, vectorized=True, x0=center, **arguments)
    best = torch.as_tensor(result.x, dtype=begin.dtype, device=begin.device)
    torch.nn.utils.vector_to_parameters(best, parameters)
    return result
