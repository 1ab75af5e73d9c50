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
//! the scheme that is run, without memory, at W = W(0)/2: the recursion of the second moments below holds for deviations from the
//!   mean, with E |X - c|^2 <= (1 + 1/W) E |X - EX|^2 in the diffusion; and because |grad E|^2 <= 2 C_E (E - E_) and e^-t >= 1 - t,
//!   W(t) - W(t + dt) <= sqrt(alpha C_E/e) l + alpha C_E l^2/2,  l^2 = dt^2 E |V|^2,  |E V'| <= p |E V| + q sqrt(E |X - EX|^2 / W)
//!   P1d  the recursion contracts           P2d  what W(t) loses in all steps is below W(0)/2
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

/// What the scheme that is run does to a swarm without memory while W(t) stays above W(0)/2: the discrete form of Theorem 2.5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Discrete {
    /// A bound on the growth of the second moments about the mean per unit of time; P1d is that it is negative.
    pub exponent: f64,
    /// A bound on what W(t) loses in all steps; infinite unless P1d holds. P2d is that it is below W(0)/2.
    pub loss: f64,
}

/// The scheme for W(0) = `weight`, positions with this second moment about their mean, velocities with this second moment, and
/// |Hess E| <= `hessian`.
pub fn discrete(s: &Dynamics, dim: usize, weight: f64, variance: f64, velocity: f64, hessian: f64) -> Discrete {
    let w = 0.5 * weight;
    let sigma = s.sigma[1] * (1.0 + 1.0 / w).sqrt();
    let d = Dynamics { lambda: [0.0, s.lambda[1]], sigma: [0.0, sigma], ..s.clone() };
    let exponent = mean_square_exponent(&d, dim);
    if exponent.is_nan() || exponent >= 0.0 {
        return Discrete { exponent, loss: f64::INFINITY };
    }
    let step = Step::new(&d, dim);
    let slope = (s.alpha * hessian / std::f64::consts::E).sqrt();
    let (mut moments, mut drift, mut loss) = ([variance, 0.0, velocity], 0.0, 0.0);
    // In the end what is left is a geometric series of this ratio.
    let ratio = (0.5 * exponent * s.dt).exp().max(step.p.abs());
    for _ in 0..MOST_STEPS {
        drift = step.p.abs() * drift + step.q * (moments[0] / w).sqrt();
        moments = step.moments(moments);
        let second = s.dt * s.dt * (moments[2] + drift * drift);
        let term = slope * second.sqrt() + 0.5 * s.alpha * hessian * second;
        loss += term;
        let rest = term * ratio / (1.0 - ratio);
        if rest <= 1e-3 * loss {
            return Discrete { exponent, loss: loss + rest };
        }
        if loss.is_nan() || loss >= weight {
            break;
        }
    }
    Discrete { exponent, loss: f64::INFINITY }
}

/// Steps after which the sum of the losses is given up as too slow to be told.
const MOST_STEPS: usize = 2_000_000;

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
    /// Almost every path explodes beyond this sigma2.
    pub almost_sure: f64,
}

/// The explosion thresholds of a swarm about frozen attractors, from a Lyapunov path of `steps`.
pub fn thresholds(d: &Dynamics, dim: usize, steps: usize, rng: &Rng) -> Thresholds {
    let ratio = if d.sigma[1] > 0.0 { d.sigma[0] / d.sigma[1] } else { 0.0 };
    let at = |sigma: f64| Dynamics { sigma: [ratio * sigma, sigma], ..d.clone() };
    let dims = if d.noise == Noise::Isotropic { dim as f64 } else { 1.0 };
    let both = 1.0 + ratio * ratio;
    Thresholds {
        mean_square: edge(|sigma| mean_square_exponent(&at(sigma), dim) < 0.0, 1e-4),
        mean_square_limit: (2.0 * (d.lambda[0] + d.lambda[1]) * d.friction / (dims * both)).sqrt(),
        almost_sure: edge(|sigma| lyapunov_exponent(&at(sigma), dim, steps, rng).value < 0.0, 1e-3),
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
