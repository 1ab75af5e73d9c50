//! Nelder-Mead: a simplex that turns over, stretches and draws in, with parameters that suit the number of variables.
//!
//! Papers: Nelder and Mead, "A simplex method for function minimization" (Computer Journal 1965); Lagarias, Reeds, Wright and
//! Wright, "Convergence properties of the Nelder-Mead simplex method in low dimensions" (SIAM J. Optimization 1998) for the
//! order of the decisions; Gao and Han, "Implementing the Nelder-Mead simplex algorithm with adaptive parameters"
//! (Computational Optimization and Applications 2012), equation (4.1). The points are x_1 (best) to x_(n+1) (worst), c is the
//! centroid of all but the worst:
//!
//! ```text
//! (1)  alpha = 1,  beta = 1 + 2 / n,  gamma = 3 / 4 - 1 / (2 n),  delta = 1 - 1 / n
//! (2)  reflect   r = c + alpha (c - x_(n+1))      taken if f_1 <= f(r) < f_n
//! (3)  expand    e = c + beta (r - c)             if f(r) < f_1; the better of e and r is taken
//! (4)  contract  o = c + gamma (r - c)            if f_n <= f(r) < f_(n+1); taken if f(o) <= f(r)
//! (5)            i = c - gamma (c - x_(n+1))      if f(r) >= f_(n+1); taken if f(i) < f_(n+1)
//! (6)  shrink    x_i = x_1 + delta (x_i - x_1)    for all i > 1, if (4) or (5) is not taken
//! ```
//!
//! The first simplex is x_1 and x_1 + h_j e_j, h_j a share of the width of variable j. The points of the first simplex and of
//! a shrinking are asked in one round. The walk ends where the simplex is a point or its values are all the same.
//!
//! Differs from the papers: points outside the box are set on its bounds; with one variable n = 2 in (1), for delta would be 0.

use super::{LocalSearch, Terrain};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Reason, Result, View, sort_indices};

parameters! {
    /// Parameters of [`NelderMead`].
    pub struct Params {
        /// Edge of the first simplex along a variable, as a share of the width of the box.
        edge "h": f64 = 0.05, Above(0.0);
        /// Ends when no point is further from the best one in any variable than this share of the width.
        tolerance "": f64 = 1e-12, AtLeast(0.0);
    }
}

/// What the points asked are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// All points but the first.
    Simplex,
    Reflect,
    Expand,
    Outside,
    Inside,
    Ended,
}

/// Nelder-Mead.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NelderMead {
    params: Params,
    terrain: Terrain,
    stage: Stage,
    /// The simplex, one point a row, and its values.
    x: Matrix<f64>,
    f: Vec<f64>,
    /// Rows from best to worst.
    order: Vec<usize>,
    centroid: Vec<f64>,
    reflected: Vec<f64>,
    f_reflected: f64,
    steps: u64,
    why: Option<Reason>,
}

impl LocalSearch for NelderMead {
    const NAME: &'static str = "nelder_mead";
    type Params = Params;

    fn numbers(_params: &Params, dim: usize) -> f64 {
        4.0 * (dim as f64).powi(2)
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        Ok(NelderMead {
            params,
            stage: Stage::Ended,
            x: Matrix::zeros(dim + 1, dim),
            f: vec![f64::INFINITY; dim + 1],
            order: (0..=dim).collect(),
            centroid: vec![0.0; dim],
            reflected: vec![0.0; dim],
            f_reflected: f64::INFINITY,
            steps: 0,
            why: None,
            terrain,
        })
    }

    fn launch(&mut self, x: &[f64], value: f64, _gradient: Option<&[f64]>) {
        self.f.fill(f64::INFINITY);
        self.f[0] = value;
        for (i, row) in self.x.iter_mut().enumerate() {
            row.copy_from_slice(x);
            if i > 0 {
                let j = i - 1;
                let h = self.params.edge * self.terrain.length(j, x[j]);
                let towards = if x[j] + h <= self.terrain.upper[j] { x[j] + h } else { x[j] - h };
                row[j] = self.terrain.clamp(j, towards);
            }
        }
        sort_indices(&self.f, &mut self.order);
        (self.stage, self.steps, self.why) = (Stage::Simplex, 0, None);
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        xs.clear();
        let (best, worst) = (self.order[0], self.order[self.order.len() - 1]);
        let n = self.x.dim().max(2) as f64;
        let (alpha, beta, gamma) = (1.0, 1.0 + 2.0 / n, 0.75 - 0.5 / n); // eq. (1)
        // A point on the line through the centroid, at a multiple of the way to it from `from`.
        let mut on_line = |factor: f64, from: &[f64]| {
            xs.push(from);
            for (j, t) in xs.row_mut(0).iter_mut().enumerate() {
                *t = self.terrain.clamp(j, self.centroid[j] + factor * (*t - self.centroid[j]));
            }
        };
        match self.stage {
            Stage::Simplex => (0..self.x.len()).filter(|&i| i != best).for_each(|i| xs.push(self.x.row(i))),
            Stage::Reflect => on_line(-alpha, self.x.row(worst)), // eq. (2)
            Stage::Expand => on_line(beta, &self.reflected),      // eq. (3)
            Stage::Outside => on_line(gamma, &self.reflected),    // eq. (4)
            Stage::Inside => on_line(gamma, self.x.row(worst)),   // eq. (5)
            Stage::Ended => {}
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        let dim = self.x.dim();
        let (best, second, worst) = (self.order[0], self.order[dim.max(1) - 1], self.order[dim]);
        let (x, value) = (xs.row(0), values[0]);
        match self.stage {
            Stage::Simplex => {
                for (k, i) in (0..=dim).filter(|&i| i != best).enumerate() {
                    self.x.row_mut(i).copy_from_slice(xs.row(k));
                    self.f[i] = values[k];
                }
                self.turn();
            }
            Stage::Reflect => {
                self.reflected.copy_from_slice(x);
                self.f_reflected = value;
                if value < self.f[best] {
                    self.stage = Stage::Expand;
                } else if value < self.f[second] {
                    self.replace(worst, None);
                } else if value < self.f[worst] {
                    self.stage = Stage::Outside;
                } else {
                    self.stage = Stage::Inside;
                }
            }
            Stage::Expand => self.replace(worst, (value < self.f_reflected).then_some((x, value))),
            Stage::Outside if value <= self.f_reflected => self.replace(worst, Some((x, value))),
            Stage::Inside if value < self.f[worst] => self.replace(worst, Some((x, value))),
            Stage::Outside | Stage::Inside => self.shrink(best),
            Stage::Ended => {}
        }
    }

    fn place(&self) -> (&[f64], f64) {
        (self.x.row(self.order[0]), self.f[self.order[0]])
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.why.as_ref()
    }

    fn verify(&self, terrain: &Terrain, _launched: bool) -> Result<()> {
        let dim = terrain.dim();
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        saved::shape("x", &self.x, dim + 1, dim)?;
        saved::length("f", &self.f, dim + 1)?;
        saved::length("order", &self.order, dim + 1)?;
        saved::below("order", &self.order, dim + 1)?;
        saved::numbers("f", &self.f)?;
        saved::lengths([("centroid", &self.centroid), ("reflected", &self.reflected)], dim)?;
        saved::count("steps", self.steps)
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.push(("f", self.place().1));
    }
}

impl NelderMead {
    /// Puts a point, else the reflected one, in the place of the worst.
    fn replace(&mut self, worst: usize, by: Option<(&[f64], f64)>) {
        let (x, value) = by.unwrap_or((&self.reflected, self.f_reflected));
        self.x.row_mut(worst).copy_from_slice(x);
        self.f[worst] = value;
        self.turn();
    }

    /// Eq. (6); the new values are asked in the next round.
    fn shrink(&mut self, best: usize) {
        let n = self.x.dim().max(2) as f64;
        let delta = 1.0 - 1.0 / n;
        for i in (0..self.x.len()).filter(|&i| i != best) {
            for j in 0..self.x.dim() {
                let centre = self.x.row(best)[j];
                let t = &mut self.x.row_mut(i)[j];
                *t = centre + delta * (*t - centre);
            }
        }
        self.stage = Stage::Simplex;
    }

    /// A step is complete: sorts, and reflects the next worst point, or ends.
    fn turn(&mut self) {
        self.steps += 1;
        sort_indices(&self.f, &mut self.order);
        let (dim, best) = (self.x.dim(), self.order[0]);
        let (low, high) = (self.f[best], self.f[self.order[dim]]);
        let near = |j: usize| {
            let (x, scale) = (self.x.row(best)[j], self.terrain.length(j, self.x.row(best)[j]));
            let least = (self.params.tolerance * scale).max(self.terrain.epsilon * x.abs());
            self.x.iter().all(|row| (row[j] - x).abs() <= least)
        };
        let why = if (0..dim).all(near) {
            Some("the simplex has drawn in to a point")
        } else if high - low <= self.terrain.epsilon * low.abs() {
            Some("the values of the simplex are all the same")
        } else {
            None
        };
        self.centroid.fill(0.0);
        for &i in &self.order[..dim] {
            self.centroid.iter_mut().zip(self.x.row(i)).for_each(|(c, x)| *c += x / dim as f64);
        }
        self.stage = if why.is_some() { Stage::Ended } else { Stage::Reflect };
        self.why = why.map(|why| Reason::Method(why.into()));
    }
}
