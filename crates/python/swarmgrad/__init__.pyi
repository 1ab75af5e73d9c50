import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Optional, Union

import numpy as np
from numpy.typing import ArrayLike

from . import problems as problems

__version__: str
Method = Literal[
    "auto",
    "pso",
    "pso_constriction",
    "mpso",
    "empso",
    "empso_printed",
    "adaswarm",
    "rempso",
    "spso2011",
    "clpso",
    "pso_sde",
    "cbo",
    "polar_cbo",
    "cluster_cbo",
    "mirror_cbo",
    "adam_cbo",
    "cbs",
    "consensus_hopping",
    "de",
    "jde",
    "jade",
    "shade",
    "lshade",
    "jso",
    "ga",
    "random_search",
    "cma_es",
    "ipop_cma_es",
    "bipop_cma_es",
    "lq_cma_es",
    "sep_cma_es",
    "cr_fm_nes",
    "xnes",
    "snes",
    "open_es",
    "pgpe",
    "nsga2",
    "sms_emoa",
    "mo_cbo",
    "quasi_newton",
    "coordinate_search",
    "nelder_mead",
    "trust_region",
    "least_squares",
    "sqp",
    "direct",
    "gp",
    "constrained",
    "fit",
    "multistart",
    "polish",
    "islands",
    "diff_ga",
    "diff_de",
    "diff_jde",
    "diff_shade",
    "diff_lshade",
    "diff_pso",
    "diff_empso",
    "diff_cbo",
    "diff_es",
    "diff_cma_es",
]
Path = Union[str, "os.PathLike[str]"]
Bounds = Union["Space", Mapping[str, Any], Sequence[tuple[Optional[float], Optional[float]]], np.ndarray, Any]
Seed = Union[int, np.random.Generator, None]

class OptimizeResult(dict[str, Any]):
    x: Any
    fun: float
    nfev: int
    nit: int
    njev: int
    success: bool
    status: int
    message: str
    method: str
    seed: int
    account: Optional[str]
    failures: int
    failure_kinds: dict[str, int]
    history: dict[str, Any]
    def __getattr__(self, name: str) -> Any: ...

class Variable:
    objects: Optional[list[Any]]
    size: int

class Real(Variable):
    def __init__(self, lower: float, upper: float) -> None: ...

class Log(Variable):
    def __init__(self, lower: float, upper: float) -> None: ...

class Integer(Variable):
    def __init__(self, lower: int, upper: int, step: int = 1) -> None: ...

class Choice(Variable):
    of: list[Any]
    def __init__(self, of: Sequence[Any]) -> None: ...

class Ordered(Choice): ...

class Flag(Variable):
    def __init__(self) -> None: ...

class Simplex(Variable):
    def __init__(self, size: int) -> None: ...

class Sorted(Variable):
    def __init__(self, lower: float, upper: float, size: int) -> None: ...

class Fixed(Variable):
    def __init__(self, value: Union[bool, int, float, str]) -> None: ...

class Space(Mapping[str, Variable]):
    dim: int
    texts: list[str]
    def __init__(self, variables: Mapping[str, Any]) -> None: ...
    def __getitem__(self, name: str) -> Variable: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def encode(self, points: Sequence[Any]) -> list[list[float]]: ...
    def decode(self, x: ArrayLike) -> dict[str, Any]: ...

def minimize(
    fun: Callable[..., Any],
    bounds: Optional[Bounds] = None,
    args: tuple[Any, ...] = (),
    *,
    method: Union[Method, str] = "auto",
    x0: Any = None,
    jac: Union[Callable[..., ArrayLike], bool, None] = None,
    constraints: Any = (),
    constraint_tolerance: Optional[float] = None,
    residuals: bool = False,
    loss: Optional[str] = None,
    objectives: Union[int, Sequence[str], None] = None,
    maxfun: Optional[int] = None,
    maxiter: Optional[int] = None,
    target: Optional[float] = None,
    time_limit: Optional[float] = None,
    patience: Optional[int] = None,
    tolerance: Optional[float] = None,
    workers: Any = 1,
    vectorized: bool = False,
    quorum: float = 1.0,
    eval_timeout: Optional[float] = None,
    on_error: Literal["raise", "skip"] = "raise",
    callback: Optional[Callable[..., Any]] = None,
    record: Optional[Path] = None,
    resume: Optional[Path] = None,
    overwrite: bool = False,
    progress: bool = False,
    noisy: bool = False,
    maximize: bool = False,
    outside: Optional[Literal["clamp", "reflect", "wrap", "resample"]] = None,
    uncertainty: Union[bool, str, None] = None,
    rng: Seed = None,
    seed: Seed = None,
    options: Optional[Mapping[str, Any]] = None,
) -> OptimizeResult: ...
def hypervolume(points: ArrayLike, reference: ArrayLike) -> float: ...
def least_squares(
    fun: Callable[..., ArrayLike],
    x0: Any = None,
    bounds: Any = None,
    args: tuple[Any, ...] = (),
    kwargs: Optional[Mapping[str, Any]] = None,
    *,
    method: Optional[str] = None,
    loss: Literal["linear", "soft_l1", "huber", "cauchy", "arctan"] = "linear",
    f_scale: float = 1.0,
    max_nfev: Optional[int] = None,
    **more: Any,
) -> OptimizeResult: ...
def scipy_method(
    fun: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...] = (),
    *,
    bounds: Optional[Bounds] = None,
    jac: Any = None,
    callback: Optional[Callable[..., Any]] = None,
    constraints: Any = (),
    tol: Optional[float] = None,
    method: str = "auto",
    **options: Any,
) -> OptimizeResult: ...

class Optimizer:
    def __init__(
        self,
        space: Bounds,
        *,
        method: Union[Method, str] = "auto",
        budget: Optional[int] = None,
        x0: Any = None,
        rng: Seed = None,
        seed: Seed = None,
        options: Optional[Mapping[str, Any]] = None,
        maximize: bool = False,
        noisy: bool = False,
        target: Optional[float] = None,
        quorum: float = 1.0,
        constraints: Union[str, Sequence[str]] = (),
        constraint_tolerance: Optional[float] = None,
        residuals: bool = False,
        loss: Optional[str] = None,
        objectives: Union[int, Sequence[str], None] = None,
        outside: Optional[str] = None,
        record: Optional[Path] = None,
        overwrite: bool = False,
    ) -> None: ...
    @property
    def space(self) -> Optional[Space]: ...
    @property
    def done(self) -> bool: ...
    @property
    def ids(self) -> list[int]: ...
    @property
    def result(self) -> OptimizeResult: ...
    def ask(self, n: Optional[int] = None) -> Any: ...
    @property
    def constraint_names(self) -> list[str]: ...
    def tell(self, values: ArrayLike, constraints: Optional[ArrayLike] = None) -> None: ...
    def tell_one(
        self, id: int, value: Any, failure: Optional[str] = None, constraints: Optional[Sequence[float]] = None
    ) -> None: ...
    def stop(self) -> None: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path, space: Optional[Mapping[str, Any]] = None) -> "Optimizer": ...

class Collective:
    rank: int
    size: int
    sent: int
    def __init__(self, comm: Any) -> None: ...

class Study:
    arguments: dict[str, Any]
    def __init__(self, fun: Callable[..., Any], bounds: Optional[Bounds] = None, args: tuple[Any, ...] = (), **arguments: Any) -> None: ...
    def run(self, rng: Any = None, **changes: Any) -> OptimizeResult: ...
    def repeat(self, runs: int, **changes: Any) -> Comparison: ...
    def __getattr__(self, name: str) -> Any: ...

class Comparison:
    def __init__(self, rows: Sequence[dict[str, Any]], *, target: Optional[float] = None, maximize: bool = False) -> None: ...
    rows: list[dict[str, Any]]
    target: Optional[float]
    maximize: bool
    @property
    def problems(self) -> list[str]: ...
    @property
    def methods(self) -> list[str]: ...
    def values(self, problem: str, method: str) -> np.ndarray: ...
    def medians(self) -> dict[tuple[str, str], float]: ...
    def success(self) -> dict[tuple[str, str], tuple[float, float, float]]: ...
    def ranks(self) -> dict[str, float]: ...
    def plot(self, ax: Any = None) -> Any: ...

def minimize_many(
    problems: Any,
    methods: Union[str, Sequence[str]],
    *,
    runs: int = 10,
    bounds: Optional[Bounds] = None,
    rng: int = 0,
    target: Optional[float] = None,
    **arguments: Any,
) -> Comparison: ...
def list_methods() -> list[str]: ...
def method_info(name: str) -> dict[str, Any]: ...
def list_gradients() -> list[str]: ...
def gradient(
    fun: Callable[..., Any],
    x: ArrayLike,
    source: str = "proximal",
    *,
    args: tuple[Any, ...] = (),
    bounds: Optional[Bounds] = None,
    vectorized: bool = False,
    rng: int = 0,
    options: Optional[Mapping[str, Any]] = None,
    full_output: bool = False,
) -> Any: ...

class Certificate(OptimizeResult):
    verdict: Literal["holds", "not_proven", "fails"]
    hypotheses: list[dict[str, Any]]
    rate: Optional[float]

def certify(
    fun: Callable[..., Any],
    dim: Optional[int] = None,
    *,
    start: str = "normal:0:1",
    options: Optional[Mapping[str, Any]] = None,
    hessian: Optional[float] = None,
    minimum: Optional[float] = None,
    points: int = 100_000,
    horizon: float = 3.0,
    swarm: int = 10_000,
    rng: int = 0,
    vectorized: bool = False,
) -> Certificate: ...
def list_losses() -> list[str]: ...
def lend(
    loss: Union[Callable[..., Any], str],
    outputs: ArrayLike,
    targets: ArrayLike,
    kind: Literal["prox", "consensus", "es", "least_squares", "swarm"] = "prox",
    per: Optional[Literal["element", "sample", "batch"]] = None,
    seed: int = 0,
    **settings: float,
) -> tuple[np.ndarray, np.ndarray]: ...

class Lesson:
    schedule: dict[str, Any]
    gain: float
    def save(self, path: Path) -> None: ...

def learn(
    method: str,
    problems: Union[str, Sequence[str], Callable[..., Any]],
    *,
    dim: Union[int, Sequence[int]] = 10,
    bounds: Optional[Bounds] = None,
    minimum: Optional[float] = None,
    maxfun: Optional[int] = None,
    rotated: bool = False,
    numbers: Union[str, Sequence[str], None] = None,
    knots: int = 5,
    steps: int = 100,
    pairs: int = 8,
    windows: int = 1,
    options: Optional[Mapping[str, Any]] = None,
    workers: int = 1,
    vectorized: bool = False,
    record: Optional[Path] = None,
    rng: Seed = 0,
) -> Lesson: ...

class Findings(OptimizeResult):
    claims: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    notes: list[str]
    data: dict[str, Any]
    text: str
    markdown: str
    svg: dict[str, str]
    def save(self, path: Path) -> None: ...

def list_experiments() -> list[str]: ...
def reproduce(
    experiment: str,
    *,
    quick: bool = False,
    full: bool = False,
    preset: Optional[Literal["paper-text", "paper-code", "sound"]] = None,
    seeds: Optional[int] = None,
    grid: Optional[tuple[Sequence[float], Sequence[float]]] = None,
    workers: int = 0,
    data: Optional[Path] = None,
    record: Optional[Path] = None,
) -> Findings: ...
