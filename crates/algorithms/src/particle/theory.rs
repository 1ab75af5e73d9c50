//! The theory of mean-field swarms in numbers: guaranteed rates, second moments, explosion thresholds.
//!
//! Paper: Huang, Qiu, Riedl, "On the global convergence of particle swarm optimization methods" (AMOP 2023). The constants of its
//! conditions are derived again here, with g = gamma, C_E a bound on the Hessian and W = E exp(-alpha (E(X) - E_)):
//!
//! ```text
//! Thm 2.5, memoryless (eq. 2.1), H as in `diagnostics`:
//!   d/dt EH <= -(g/m) E|V|^2 - (lambda g/(2m^2) - (2 lambda^2/(g m) + sigma^2/m^2) 2/W) E|X - EX|^2     (Lemma 2.2)
//!   P1   mu = lambda g/(2m^2) - (2 lambda^2/(g m) + sigma^2/m^2) 4/W(0) > 0
//!   chi  = 2/3 min { g/m, mu (2m/g)^2 }                            then EH(t) <= EH(0) exp(-chi t)
//!   P2   K EH(0) / (chi (g/m - chi)) < 3/4 W(0)^2,  K = 4 alpha C_E (1 + 8 lambda m/g^2);   keeps W(t) > W(0)/2
//!
//! Thm 3.3, with memory, at W = W(0)/2:  B = 9 lambda2^2/(g m) + 3 sigma2^2/(2m^2)
//!   mu2  = lambda2 g/(8m^2) - 3B/W
//!   mu1  = 1/2 (3 lambda1/m + g^2/m^2) kappa theta + g lambda1/m^2 - 3 sigma1^2/(2m^2) - g lambda1^2/(4 lambda2 m^2)
//!          - g kappa^2 (1 + theta/2)^2/m - 6 g lambda2/(W m^2) - (B + g lambda2 W/(24m^2)) 2/W
//!   chi  = min { g/(3m), mu1/(3 lambda1/(2m) + 3 g^2/(4m^2)), mu2/(3 g^2/(8m^2)) }
//!
//!   P3   sqrt(alpha C_E/e) kappa (1 + theta/2) sqrt(EH(0)/(0.3 g^2/m^2 + 1.5 lambda1/m)) 2/chi < W(0)/2;  keeps W(t) > W(0)/2
//!
//! the scheme that is run, for N particles or for the limit, as long as W stays above a level w:
//!   without memory the recursion of the second moments below bounds deviations from the mean, with
//!   E |X - c|^2 <= E |X - EX|^2 / w in the diffusion (|c - EX|^2 <= Var(e^-alpha E)/W^2 E|X - EX|^2, Var(e^-alpha E) <= W (1 - W));
//!   with memory EH contracts by the largest rho of the quadratic forms of one step at S = theta/2 and S = 1 + theta/2;
//!   and because |grad E|^2 <= 2 C_E (E - E_) and e^-t >= 1 - t, a step of length l in mean square costs W at most
//!   sqrt(alpha C_E/e) l + alpha C_E l^2/2
//!   P1d  the step contracts           P2d  what W loses in all steps is below W(0) - w
//!   The first w on a grid is taken for which both hold. For N particles the loss is a mean: the chance that W stays above w is
//!   at least 1 - loss/(W(0) - w) (Markov), which plays the part of eq. (4.16).
//!
//! what is promised, E(x~) - E_ <= log(2/W(0))/alpha, is never better than the median M of E - E_ under the initial law:
//!   S = sqrt(alpha (E - E_)) has the Lipschitz constant sqrt(alpha C_E/2) and e^-S^2 has sqrt(2/e), so
//!   W(0) - e^(-alpha M) <= sqrt(2/e) E|S - median S| <= sqrt(alpha C_E Var(X)/e), and P1, P2 force alpha C_E Var(X) < W(0)^3/16
//!
//! frozen attractors: the distance z of a coordinate follows  v' = p v - q z + s xi z,  z' = z + dt v',
//!   p = m/(m + g dt),  q = (lambda1 + lambda2) dt/(m + g dt),  s^2 = (sigma1^2 + sigma2^2) dt/(m + g dt)^2
//! ```
//!
//! Differs from the paper: the constants (the paper's own may be smaller or larger); the rate of Theorem 3.3 uses
//! H <= 3/2 (g/2m)^2 |X - EX|^2 + 3 |V|^2 + (3 lambda1/(2m) + 3 g^2/(4m^2)) |X - Y|^2.

use super::pso_sde::{Memory, Noise, Params, Scheme};
use serde::Serialize;
use swarmgrad_core::{Error, Result, Rng, math};

/// The numbers of a swarm's dynamics that the theory knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dynamics {
    /// m.
    pub inertia: f64,
    /// gamma.
    pub friction: f64,
    /// Time step.
    pub dt: f64,
    /// Drift to the memory and to the consensus.
    pub lambda: [f64; 2],
    /// Diffusion by the distance to the memory and to the consensus.
    pub sigma: [f64; 2],
    /// Sharpness of the consensus.
    pub alpha: f64,
    /// What a particle remembers.
    pub memory: Memory,
    /// Rate of the smooth memory.
    pub kappa: f64,
    /// Share of X that the smooth memory always takes in.
    pub theta: f64,
    /// The form of the diffusion.
    pub noise: Noise,
    /// The discretisation in time.
    pub scheme: Scheme,
}

impl Dynamics {
    /// Those of `pso_sde` with these parameters.
    pub fn new(p: &Params) -> Result<Self> {
        crate::parameters::Parameters::check(p)?;
        let friction = p.friction.unwrap_or(1.0 - p.inertia);
        if friction <= 0.0 {
            return Err(Error::parameter("inertia", p.inertia, "must be below 1 where friction is 1 - m"));
        }
        Ok(Dynamics {
            inertia: p.inertia,
            friction,
            dt: p.dt,
            lambda: [p.lambda1, p.lambda2],
            sigma: [p.sigma1, p.sigma2],
            alpha: p.alpha,
            memory: p.memory,
            kappa: p.kappa.unwrap_or(1.0 / p.dt),
            theta: p.theta,
            noise: p.noise,
            scheme: p.scheme,
        })
    }
}

/// What Theorem 2.5 says of a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Memoryless {
    /// mu; P1 is mu > 0.
    pub mu: f64,
    /// chi, the guaranteed rate of H; NaN unless P1 holds.
    pub rate: f64,
    /// The left side of P2; infinite unless P1 holds.
    pub left: f64,
    /// The right side of P2.
    pub right: f64,
}

impl Memoryless {
    /// P1.
    pub fn first(&self) -> bool {
        self.mu > 0.0
    }

    /// P1 and P2.
    pub fn both(&self) -> bool {
        self.first() && self.left < self.right
    }
}

/// Theorem 2.5 for W(0) = `weight`, EH(0) = `h` and |Hess E| <= `hessian`. Only lambda2, sigma2 enter.
pub fn memoryless(s: &Dynamics, weight: f64, h: f64, hessian: f64) -> Memoryless {
    let (m, g, lambda, sigma) = (s.inertia, s.friction, s.lambda[1], s.sigma[1]);
    let mu = lambda * g / (2.0 * m * m) - (2.0 * lambda * lambda / (g * m) + sigma * sigma / (m * m)) * 4.0 / weight;
    let right = 0.75 * weight * weight;
    if mu.is_nan() || mu <= 0.0 {
        return Memoryless { mu, rate: f64::NAN, left: f64::INFINITY, right };
    }
    let rate = 2.0 / 3.0 * (g / m).min(mu * (2.0 * m / g).powi(2));
    let k = 4.0 * s.alpha * hessian * (1.0 + 8.0 * lambda * m / (g * g));
    Memoryless { mu, rate, left: k * h / (rate * (g / m - rate)), right }
}

/// What is known of the start of a swarm and of its objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Begin {
    /// A lower bound of W(0).
    pub weight: f64,
    /// The variance of the positions, summed over coordinates.
    pub variance: f64,
    /// The second moment of the velocities, whose mean is 0, summed over coordinates.
    pub velocity: f64,
    /// A bound on the norm of the Hessian.
    pub hessian: f64,
}

/// What the scheme that is run guarantees at its time step, as long as W stays above a level: the discrete form of the theorems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Discrete {
    /// The level below which W(t) is not to fall.
    pub level: f64,
    /// A bound on the growth of the second moments per unit of time; P1d is that it is negative.
    pub exponent: f64,
    /// A bound on what W(t) loses in all steps; infinite unless P1d holds.
    pub loss: f64,
    /// What it may lose; P2d is that `loss` is below it.
    pub allowed: f64,
}

impl Discrete {
    /// P1d.
    pub fn contracts(&self) -> bool {
        self.exponent < 0.0
    }

    /// P1d and P2d.
    pub fn both(&self) -> bool {
        self.contracts() && self.loss < self.allowed
    }

    /// A lower bound on the chance that a swarm of finitely many particles keeps its W(t) above the level; 0 where nothing is known.
    pub fn chance(&self) -> f64 {
        if self.both() { 1.0 - self.loss / self.allowed } else { 0.0 }
    }
}

/// Levels of W(t), as shares of W(0), that are tried: the higher, the less diffusion is to be feared; the lower, the more W may lose.
const LEVELS: [f64; 8] = [0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5];

/// The scheme in `dim` dimensions for `particles` (infinity: the limit): the level that leaves the most room.
pub fn discrete(s: &Dynamics, dim: usize, particles: f64, begin: &Begin) -> Discrete {
    let none = Discrete { level: 0.0, exponent: f64::INFINITY, loss: f64::INFINITY, allowed: 0.0 };
    if !(begin.weight > 0.0 && s.inertia > 0.0) {
        return none;
    }
    let at = |share: f64| {
        let level = share * begin.weight;
        let (exponent, loss) = match s.memory {
            Memory::None => without_memory(s, dim, particles, begin, level),
            Memory::Smooth => remembering(s, begin, level),
            Memory::Sharp => (f64::INFINITY, f64::INFINITY),
        };
        Discrete { level, exponent, loss, allowed: begin.weight - level }
    };
    let used = |d: &Discrete| if d.contracts() { d.loss / d.allowed } else { f64::INFINITY };
    LEVELS.into_iter().map(at).min_by(|a, b| used(a).total_cmp(&used(b))).unwrap_or(none)
}

/// The exponent of the variance of a swarm without memory, and what W loses.
fn without_memory(s: &Dynamics, dim: usize, particles: f64, begin: &Begin, level: f64) -> (f64, f64) {
    let d = Dynamics { lambda: [0.0, s.lambda[1]], sigma: [0.0, s.sigma[1] / level.sqrt()], ..s.clone() };
    let exponent = mean_square_exponent(&d, dim);
    if exponent.is_nan() || exponent >= 0.0 {
        return (exponent, f64::INFINITY);
    }
    let step = Step::new(&d, dim);
    let slope = (s.alpha * begin.hessian / std::f64::consts::E).sqrt();
    // The mean velocity in mean square: of N particles it is not 0 at the start, and their noise moves it.
    let mut drift = (begin.velocity / particles).sqrt();
    let pull = step.q * ((1.0 - level).max(0.0) / level).sqrt() + step.s * (step.dims as f64 / particles).sqrt();
    let (mut moments, mut loss) = ([begin.variance, 0.0, begin.velocity], 0.0);
    // In the end what is left is a geometric series of this ratio.
    let (square, mut last) = (math::exp(exponent * s.dt).max(step.p * step.p), 0.0);
    let ratio = square.sqrt();
    for _ in 0..MOST_STEPS {
        let before = moments[2] + drift * drift;
        drift = step.p.abs() * drift + pull * moments[0].sqrt();
        moments = step.moments(moments);
        let velocity = if step.semi { moments[2] + drift * drift } else { before };
        let second = s.dt * s.dt * velocity;
        let term = slope * second.sqrt() + 0.5 * s.alpha * begin.hessian * second;
        loss += term;
        let rest = 1.01 * term * ratio / (1.0 - ratio);
        // Once it falls at its ratio, to a hundredth, it does so from there on.
        if (second / last - square).abs() <= 0.01 * (1.0 - square) || rest <= 1e-3 * loss {
            return (exponent, loss + rest);
        }
        if loss.is_nan() || loss >= begin.weight - level {
            break;
        }
        last = second;
    }
    (exponent, f64::INFINITY)
}

/// Steps after which the sum of the losses is given up as too slow to be told.
const MOST_STEPS: usize = 500_000;

/// The exponent of EH with a smooth memory, and what W loses. In a step z = (X - EX, V, X - Y) becomes F(S) z + b (q2 (c - EX) + noise),
/// and H' is convex in S, so its ends bound it. For any delta > 0
/// |c - EX|^2 <= (1 + delta) (1 - w)/w E|Y - EX|^2 + max(0, 1 + 1/delta - (1 + delta) (1 - w)/w) E|X - Y|^2.
fn remembering(s: &Dynamics, begin: &Begin, level: f64) -> (f64, f64) {
    let (m, g, dt) = (s.inertia, s.friction, s.dt);
    let semi = s.scheme == Scheme::SemiImplicit;
    let den = if semi { m + g * dt } else { m };
    let p = if semi { m / den } else { 1.0 - g * dt / m };
    let (q1, q2) = (s.lambda[0] * dt / den, s.lambda[1] * dt / den);
    let noise = s.sigma.map(|sigma| dt * sigma * sigma / (den * den));
    let rate = g / m;
    // H as a matrix in (X - EX, V, X - Y).
    let own = 0.5 * (3.0 * s.lambda[0] / m + rate * rate);
    let h = [[rate * rate / 4.0, rate / 4.0, 0.0], [rate / 4.0, 1.5, rate / 2.0], [0.0, rate / 2.0, own]];
    let form = |a: &[f64; 3], b: &[f64; 3]| -> f64 {
        (0..3).map(|i| (0..3).map(|j| a[i] * h[i][j] * b[j]).sum::<f64>()).sum()
    };
    let odds = (1.0 - level).max(0.0) / level;
    // EH' <= rho EH, for S = `share`.
    let rho = |share: f64| {
        let kept = 1.0 - s.kappa * dt * share;
        let image = |[x, v, r]: [f64; 3], push: f64| {
            let next = p * v - q1 * r - q2 * x + push;
            let moved = dt * if semi { next } else { v };
            [x + moved, next, kept * (r + moved)]
        };
        let columns = [image([1.0, 0.0, 0.0], 0.0), image([0.0, 1.0, 0.0], 0.0), image([0.0, 0.0, 1.0], 0.0)];
        let b = image([0.0; 3], 1.0);
        let size = form(&b, &b);
        let with = columns.map(|column| q2 * form(&b, &column));
        // 2 (with z) a <= epsilon (with z)^2 + a^2/epsilon; epsilon in units in which (with z)^2 is about H.
        let unit = with[0].abs() / h[0][0].sqrt() + with[1].abs() / h[1][1].sqrt() + with[2].abs() / h[2][2].sqrt();
        let mut best = f64::INFINITY;
        for delta in splits() {
            let far = (1.0 + delta) * odds;
            let own = (1.0 + 1.0 / delta - far).max(0.0);
            for epsilon in splits().map(|e| e / unit.max(f64::MIN_POSITIVE)) {
                let consensus = 1.0 / epsilon + (q2 * q2 + noise[1]) * size; // times |c - EX|^2
                let mut next = [[0.0; 3]; 3];
                for (i, row) in next.iter_mut().enumerate() {
                    for (j, t) in row.iter_mut().enumerate() {
                        *t = form(&columns[i], &columns[j]) + epsilon * with[i] * with[j];
                    }
                }
                next[0][0] += consensus * far + noise[1] * size;
                next[2][2] += consensus * (far + own) + noise[0] * size;
                next[0][2] -= consensus * far;
                next[2][0] -= consensus * far;
                if dominates(best, &h, &next) {
                    best = largest_ratio(&next, &h, best);
                }
            }
        }
        best
    };
    let shares = [0.5 * s.theta, 1.0 + 0.5 * s.theta];
    let worst = rho(shares[0]).max(rho(shares[1]));
    let exponent = math::ln(worst) / dt;
    if exponent.is_nan() || exponent >= 0.0 {
        return (exponent, f64::INFINITY);
    }
    // Y' - Y = kappa dt S (X' - Y); X' - Y is what the distance would become at S = 0.
    let longest = s.kappa * dt * shares[1];
    let functional = rate * rate / 4.0 * begin.variance + 1.5 * begin.velocity; // Y = X at the start
    let first = longest * (rho(0.0) * functional * distance_share(s)).sqrt();
    let slope = (s.alpha * begin.hessian / std::f64::consts::E).sqrt();
    let loss = slope * first / (1.0 - worst.sqrt()) + 0.5 * s.alpha * begin.hessian * first * first / (1.0 - worst);
    (exponent, loss)
}

/// E|X - Y|^2 is at most this times EH of Theorem 3.3.
fn distance_share(s: &Dynamics) -> f64 {
    1.0 / (0.3 * (s.friction / s.inertia).powi(2) + 1.5 * s.lambda[0] / s.inertia)
}

/// Weights of Young's inequality that are tried.
fn splits() -> impl Iterator<Item = f64> {
    (-16..=16).map(|k| math::powf(10.0, 0.25 * f64::from(k)))
}

/// Whether ratio h - a is positive definite, by its leading minors.
fn dominates(ratio: f64, h: &[[f64; 3]; 3], a: &[[f64; 3]; 3]) -> bool {
    if ratio.is_infinite() {
        return true;
    }
    let m: [[f64; 3]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| ratio * h[i][j] - a[i][j]));
    let minor = |i: usize, j: usize| m[1][i] * m[2][j] - m[1][j] * m[2][i];
    let determinant = m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1);
    m[0][0] > 0.0 && m[0][0] * m[1][1] > m[0][1] * m[1][0] && determinant > 0.0
}

/// The largest ratio of the quadratic forms a and h, at most `known`, from above.
fn largest_ratio(a: &[[f64; 3]; 3], h: &[[f64; 3]; 3], known: f64) -> f64 {
    let (mut low, mut high) = (0.0, known.min(1.0));
    while !dominates(high, h, a) {
        (low, high) = (high, 2.0 * high);
        if high > 1e6 {
            return known;
        }
    }
    while high - low > 1e-13 * high {
        let middle = 0.5 * (low + high);
        if middle == low || middle == high {
            break;
        }
        if dominates(middle, h, a) { high = middle } else { low = middle }
    }
    high
}

/// What Theorem 3.3 says of a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WithMemory {
    /// mu1, the coefficient of |X - Y|^2.
    pub mu1: f64,
    /// mu2, the coefficient of |X - EX|^2.
    pub mu2: f64,
    /// The guaranteed rate of H as long as W(t) > W(0)/2; NaN unless both are positive.
    pub rate: f64,
}

/// What W(t) loses at most under Theorem 3.3, for EH(0) = `h` and |Hess E| <= `hessian`: P3 is that it is below W(0)/2. The local bests
/// move by |dY| <= kappa (1 + theta/2) |X - Y| dt, and E|X - Y|^2 falls with EH.
pub fn memory_loss(s: &Dynamics, rate: f64, h: f64, hessian: f64) -> f64 {
    let slope = (s.alpha * hessian / std::f64::consts::E).sqrt();
    slope * s.kappa * (1.0 + 0.5 * s.theta) * (h * distance_share(s)).sqrt() * 2.0 / rate
}

/// Theorem 3.3 at `weight`, a value below which W does not fall (W(0)/2 in the theorem).
pub fn with_memory(s: &Dynamics, weight: f64) -> WithMemory {
    let (m, g, k, theta, w) = (s.inertia, s.friction, s.kappa, s.theta, weight);
    let ([l1, l2], [s1, s2]) = (s.lambda, s.sigma);
    let b = 9.0 * l2 * l2 / (g * m) + 3.0 * s2 * s2 / (2.0 * m * m);
    let own = 3.0 * l1 / m + g * g / (m * m);
    let mu2 = l2 * g / (8.0 * m * m) - 3.0 * b / w;
    let mu1 = 0.5 * own * k * theta + g * l1 / (m * m)
        - 1.5 * s1 * s1 / (m * m)
        - g * l1 * l1 / (4.0 * l2 * m * m)
        - g * k * k * (1.0 + theta / 2.0).powi(2) / m
        - 6.0 * g * l2 / (w * m * m)
        - (b + g * l2 * w / (24.0 * m * m)) * 2.0 / w;
    let rate = (g / (3.0 * m)).min(mu1 / (0.5 * own + g * g / (4.0 * m * m))).min(mu2 / (0.375 * g * g / (m * m)));
    WithMemory { mu1, mu2, rate: if mu1 > 0.0 && mu2 > 0.0 { rate } else { f64::NAN } }
}

/// A number with the interval that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounded {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end,
    pub low: f64,
    /// and its upper end.
    pub high: f64,
}

/// W(0) from values at points drawn from the initial law: the mean of exp(-alpha (E - E_)) with a 99 % interval. The
/// weights lie in [0, 1], so the empirical Bernstein bound (Audibert, Munos, Szepesvari, TCS 2009) holds for any sample size.
pub fn weight(values: &[f64], alpha: f64, minimum: f64) -> Bounded {
    let n = values.len() as f64;
    let weight = |e: f64| if e.is_finite() { math::exp(-alpha * (e - minimum).max(0.0)).min(1.0) } else { 0.0 };
    let mean = values.iter().map(|&e| weight(e)).sum::<f64>() / n;
    let variance = values.iter().map(|&e| (weight(e) - mean).powi(2)).sum::<f64>() / n;
    let log = math::ln(3.0f64 / 0.01);
    let off = (2.0 * variance * log / n).sqrt() + 3.0 * log / n;
    Bounded { value: mean, low: (mean - off).max(0.0), high: (mean + off).min(1.0) }
}

/// One step of a coordinate (or a whole point, isotropic in `dims` dimensions) about frozen attractors.
#[derive(Debug, Clone, Copy)]
struct Step {
    p: f64,
    q: f64,
    s: f64,
    dt: f64,
    semi: bool,
    /// Coordinates whose distance a noise shares: 1 for anisotropic diffusion.
    dims: usize,
}

impl Step {
    fn new(d: &Dynamics, dim: usize) -> Self {
        let semi = d.scheme == Scheme::SemiImplicit;
        let denominator = if semi { d.inertia + d.friction * d.dt } else { d.inertia };
        Step {
            p: if semi { d.inertia / denominator } else { 1.0 - d.friction * d.dt / d.inertia },
            q: (d.lambda[0] + d.lambda[1]) * d.dt / denominator,
            s: (d.dt * d.sigma.iter().map(|s| s * s).sum::<f64>()).sqrt() / denominator,
            dt: d.dt,
            semi,
            dims: if d.noise == Noise::Isotropic { dim } else { 1 },
        }
    }

    /// The exact step of (E z^2, E z V, E V^2).
    fn moments(&self, [a, b, c]: [f64; 3]) -> [f64; 3] {
        let &Step { p, q, s, dt, semi, dims } = self;
        let velocity = p * p * c - 2.0 * p * q * b + (q * q + dims as f64 * s * s) * a;
        if semi {
            let cross = p * b - q * a; // E z V'
            [a + 2.0 * dt * cross + dt * dt * velocity, cross + dt * velocity, velocity]
        } else {
            // z' = z + dt V: E (z + dt V) V'
            [a + 2.0 * dt * b + dt * dt * c, p * b - q * a + dt * (p * c - q * b), velocity]
        }
    }
}

/// Second moments (E z^2, E z V, E V^2) of a coordinate's distance z to a frozen consensus, one time step later; exact
/// for the swarm as well where the consensus is the mean (a constant objective, or alpha = 0). Isotropic diffusion: sums over `dim` coordinates.
pub fn moments_after_step(d: &Dynamics, dim: usize, moments: [f64; 3]) -> [f64; 3] {
    Step::new(d, dim).moments(moments)
}

/// Growth of the second moments per unit of time, at most 0 where the swarm is stable in mean square about frozen
/// attractors: the logarithm of the spectral radius of their recursion, over dt.
pub fn mean_square_exponent(d: &Dynamics, dim: usize) -> f64 {
    let step = Step::new(d, dim);
    // The recursion maps second moments (positive semidefinite matrices) to such, so powers converge to the radius.
    let (mut x, mut sum, burn, count) = ([1.0, 0.0, 1.0], 0.0, 20_000, 20_000);
    for k in 0..burn + count {
        let next = step.moments(x);
        let size = next[0] + next[2] * d.dt * d.dt;
        if !(size > 0.0 && size.is_finite()) {
            return if size == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        x = next.map(|t| t / size);
        sum += if k >= burn { math::ln(size) } else { 0.0 };
    }
    sum / (f64::from(count) * d.dt)
}

/// The top Lyapunov exponent of a point's distance to frozen attractors per unit of time, with a 95 % interval (batch means over
/// a path of `steps`): positive means that it explodes almost surely, negative that it vanishes almost surely.
pub fn lyapunov_exponent(d: &Dynamics, dim: usize, steps: usize, rng: &Rng) -> Bounded {
    const BATCHES: usize = 32;
    let step = Step::new(d, dim);
    let (length, rng) = ((steps / BATCHES).max(1), rng.fork("lyapunov"));
    let (mut z, mut v) = (vec![1.0f64; step.dims], vec![0.0f64; step.dims]);
    let mut xi = vec![0.0; step.dims * length];
    let mut means = Vec::with_capacity(BATCHES);
    for batch in 0..=BATCHES {
        rng.row(batch).fill_normal(&mut xi);
        let mut sum = 0.0;
        for xi in xi.chunks(step.dims) {
            let distance = if step.dims == 1 { z[0] } else { z.iter().map(|t| t * t).sum::<f64>().sqrt() };
            let mut size = 0.0;
            for ((z, v), xi) in z.iter_mut().zip(&mut v).zip(xi) {
                let old = *v;
                *v = step.p * old - step.q * *z + step.s * distance * xi;
                *z += step.dt * if step.semi { *v } else { old };
                size += *z * *z + (step.dt * *v) * (step.dt * *v);
            }
            let size = size.sqrt();
            if size == 0.0 || !size.is_finite() {
                let end = if size == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
                return Bounded { value: end, low: end, high: end };
            }
            z.iter_mut().chain(&mut v).for_each(|t| *t /= size);
            sum += math::ln(size);
        }
        if batch > 0 {
            means.push(sum / (length as f64 * d.dt)); // the first batch only forgets the start
        }
    }
    let n = means.len() as f64;
    let value = means.iter().sum::<f64>() / n;
    let deviation = (means.iter().map(|t| (t - value).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let off = 2.04 * deviation / n.sqrt(); // t with 31 degrees of freedom
    Bounded { value, low: value - off, high: value + off }
}

/// Where a swarm explodes: the diffusion sigma2 beyond which it does, sigma1 growing in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Thresholds {
    /// Second moments grow beyond this sigma2.
    pub mean_square: f64,
    /// The same for dt -> 0: sqrt(2 lambda gamma) (over sqrt(dim) for isotropic diffusion).
    pub mean_square_limit: f64,
    /// Almost every path explodes beyond this sigma2; NaN where that was not measured.
    pub almost_sure: f64,
}

/// The explosion thresholds of a swarm about frozen attractors, the almost sure one from a Lyapunov path of `steps` (0: NaN).
pub fn thresholds(d: &Dynamics, dim: usize, steps: usize, rng: &Rng) -> Thresholds {
    let ratio = if d.sigma[1] > 0.0 { d.sigma[0] / d.sigma[1] } else { 0.0 };
    let at = |sigma: f64| Dynamics { sigma: [ratio * sigma, sigma], ..d.clone() };
    let dims = if d.noise == Noise::Isotropic { dim as f64 } else { 1.0 };
    let both = 1.0 + ratio * ratio;
    Thresholds {
        mean_square: edge(|sigma| mean_square_exponent(&at(sigma), dim) < 0.0, 1e-4),
        mean_square_limit: (2.0 * (d.lambda[0] + d.lambda[1]) * d.friction / (dims * both)).sqrt(),
        almost_sure: match steps {
            0 => f64::NAN,
            _ => edge(|sigma| lyapunov_exponent(&at(sigma), dim, steps, rng).value < 0.0, 1e-3),
        },
    }
}

/// The end of the interval from 0 on which `inside` holds, to a relative accuracy; 0 or infinity where there is none.
fn edge(inside: impl Fn(f64) -> bool, accuracy: f64) -> f64 {
    if !inside(0.0) {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while inside(high) {
        (low, high) = (high, 2.0 * high);
        if high > 1e6 {
            return f64::INFINITY;
        }
    }
    while high - low > accuracy * high {
        let middle = 0.5 * (low + high);
        if inside(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dynamics(m: f64, sigma: f64) -> Dynamics {
        Dynamics::new(&Params { inertia: m, sigma2: sigma, memory: Memory::None, ..Params::default() }).unwrap()
    }

    /// The thresholds that were measured before, independently, at lambda = 1 and dt = 0.01.
    #[test]
    fn almost_sure_thresholds() {
        for (m, expected) in [(1e-4, 15.6), (1e-3, 15.5), (1e-2, 13.0), (0.1, 5.6), (10f64.powf(-0.5), 2.8)] {
            let found = thresholds(&dynamics(m, 1.0), 20, 1_000_000, &Rng::new(1));
            assert!((found.almost_sure / expected - 1.0).abs() < 0.03, "m = {m}: {}", found.almost_sure);
            let limit = (2.0 * (1.0 - m)).sqrt();
            assert_eq!(found.mean_square_limit, limit);
            assert!((found.mean_square / limit - 1.0).abs() < 0.02, "m = {m}: {} against {limit}", found.mean_square);
            assert!(found.mean_square < found.almost_sure);
        }
    }

    /// Without inertia both exponents have closed forms: E ln |1 - lambda dt + sigma sqrt(dt) xi| and its second moment.
    #[test]
    fn exponents_of_consensus_based_optimisation() {
        let d = Dynamics { dt: 0.1, ..dynamics(0.0, 2.0) };
        let second = ((1.0f64 - 0.1).powi(2) + 0.1 * 4.0).ln() / 0.1;
        assert!((mean_square_exponent(&d, 3) - second).abs() < 1e-9);
        let isotropic = Dynamics { noise: Noise::Isotropic, ..d.clone() };
        let second = ((1.0f64 - 0.1).powi(2) + 3.0 * 0.1 * 4.0).ln() / 0.1;
        assert!((mean_square_exponent(&isotropic, 3) - second).abs() < 1e-9);
        // The integral over the normal density by a fine sum.
        let (sum, h) = ((-80_000..80_000).map(|k| 1e-4 * (f64::from(k) + 0.5)), 1e-4);
        let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        let mean: f64 = sum.map(|x| h * density(x) * (0.9 + 0.4f64.sqrt() * x).abs().ln()).sum();
        let found = lyapunov_exponent(&d, 3, 400_000, &Rng::new(2));
        let wide = 2.0 * (found.high - found.value);
        assert!((found.value - mean / 0.1).abs() < wide, "{found:?} against {}", mean / 0.1);
    }

    #[test]
    fn theorem_2_5_by_hand() {
        // m = .005, g = .995, lambda = 1, sigma = .1, W(0) = .98:
        let s = dynamics(0.005, 0.1);
        let t = memoryless(&s, 0.98, 0.04, 50.0);
        let mu = 0.995 / (2.0 * 2.5e-5) - (2.0 / (0.995 * 0.005) + 0.01 / 2.5e-5) * 4.0 / 0.98;
        assert!((t.mu / mu - 1.0).abs() < 1e-12);
        assert!((t.rate - 2.0 / 3.0 * mu * (0.01f64 / 0.995).powi(2)).abs() < 1e-12);
        let k = 4.0 * 100.0 * 50.0 * (1.0 + 8.0 * 0.005 / 0.990_025);
        assert!((t.left / (k * 0.04 / (t.rate * (199.0 - t.rate))) - 1.0).abs() < 1e-12);
        assert!(!memoryless(&dynamics(0.5, 1.0), 0.9, 1.0, 1.0).first());
    }

    #[test]
    fn the_weight_is_inside_its_interval() {
        // E = x^2 / 2, X standard normal, alpha = 3: W = 1 / sqrt(1 + alpha) = 1/2.
        let mut misses = 0;
        for seed in 0..200 {
            let mut x = vec![0.0; 2_000];
            Rng::new(seed).row(0).fill_normal(&mut x);
            let values: Vec<f64> = x.iter().map(|x: &f64| 0.5 * x * x).collect();
            let w = weight(&values, 3.0, 0.0);
            assert!(w.low < w.value && w.value < w.high && w.high - w.low < 0.1);
            misses += usize::from(!(w.low..=w.high).contains(&0.5));
        }
        assert!(misses <= 2, "{misses} of 200");
    }
}
