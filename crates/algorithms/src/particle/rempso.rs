//! Rotated EMPSO: the two pulls act in rotated axes.
//!
//! Paper: AdaSwarm, supplement section 5, after Hatanaka et al., "Search performance improvement for particle swarm
//! optimization in high dimensional space" (InTech 2009):
//!
//! ```text
//! v <- M + A' diag(c1 r1) A (y - x) + A' diag(c2 r2) A (g - x),   M <- beta M + (1 - beta) v
//! x <- x + v
//! ```
//!
//! A is orthonormal. r1 and r2 have one number a coordinate: with one number a particle the product is c r times the
//! identity for any A, and nothing rotates.
//!
//! Differs from the paper: it gives three inconsistent choices of A in two pages. Offered are disjoint Givens pairs of
//! random axes (what its program meant to build) and the axes of the memories' covariance. Its program multiplied element
//! by element, so that nothing rotated and two coordinates of a pair were damped by cos^2; that is `literal`.

use super::attraction::Attraction;
use super::{Motion, Pulls, Remembered, Swarm, Topology};
use crate::linear::eigen::Eigen;
use crate::parameters::{choice, parameters};
use crate::saved;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View, math};

choice! {
    /// The choice of A.
    pub enum Rotation {
        /// Random disjoint pairs of axes, each turned by theta.
        Givens = "givens",
        /// The principal axes of the memories.
        Covariance = "covariance",
        /// The published program's element-wise product: no rotation. For reproduction only.
        Literal = "literal",
    }
}

choice! {
    /// How often random axes are drawn.
    pub enum Redraw {
        /// Once an iteration, for the whole swarm.
        Iteration = "iteration",
        /// For each particle in each iteration.
        Particle = "particle",
    }
}

parameters! {
    /// Parameters of [`Rempso`].
    pub struct Params {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// The choice of the axes.
        rotation "A": Rotation = Rotation::Givens, Choice(Rotation::WORDS);
        /// Angle of a Givens pair, in radians.
        theta "theta": f64 = std::f64::consts::PI / 5.0, Finite;
        /// Pairs of axes as a share of the dimension.
        fraction "": f64 = 0.4, Within(0.0, 0.5);
        /// How often random axes are drawn.
        redraw "": Redraw = Redraw::Iteration, Choice(Redraw::WORDS);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
    }
}

/// Rotated EMPSO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Rempso<F: Real> {
    params: Params,
    attraction: Attraction,
    m: Matrix<F>,
    /// r1 and r2 of the iteration, and room for a rotated vector a particle.
    draws: [Matrix<F>; 2],
    turned: Matrix<F>,
    /// Axes of an iteration: a permutation whose first pairs are turned, one row or one a particle.
    axes: Vec<usize>,
    /// Principal axes, one a row.
    principal: Matrix<F>,
}

/// Rows of x, v, M and of the room for a rotated vector, as the iterators zip them.
type Particle<'a, F> = (((&'a mut [F], &'a mut [F]), &'a mut [F]), &'a mut [F]);

impl<F: Real> Motion<F> for Rempso<F> {
    const NAME: &'static str = "rempso";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let attraction = Attraction::new(params.topology, Pulls::PerCoordinate, None);
        let empty = Matrix::default;
        let draws = [empty(), empty()];
        Ok(Rempso { params, attraction, m: empty(), draws, turned: empty(), axes: Vec::new(), principal: empty() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        self.attraction.verify(swarm)?;
        saved::shape("m", &self.m, swarm.len(), swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn numbers(&self, dim: usize) -> f64 {
        8.0 * Motion::<F>::particles(self) as f64 * dim as f64
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.m = swarm.v.clone();
        self.attraction.lead(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        for (draws, label) in self.draws.iter_mut().zip(["r1", "r2"]) {
            draws.resize(n, dim);
            rng.fork(label).fill_uniform(0..n, 0..dim, draws.data_mut());
        }
        self.turned.resize(n, dim);
        self.choose_axes(swarm, rng);

        let p = &self.params;
        let beta = F::of(p.beta);
        let pairs = (p.fraction * dim as f64) as usize;
        let (sin, cos) = (F::of(math::sin(p.theta)), F::of(math::cos(p.theta)));
        let (attraction, draws, axes, principal, y) =
            (&self.attraction, &self.draws, &self.axes, &self.principal, &swarm.y);
        let outside = rng.fork("outside");
        let strengths = [F::of(p.c1), F::of(p.c2)];
        let particle = |(i, (((x, v), m), turned)): (usize, Particle<'_, F>)| {
            for (m, v) in m.iter_mut().zip(v.iter_mut()) {
                *m = beta * *m + (F::one() - beta) * *v;
                *v = *m;
            }
            // The axes of the pairs; principal axes have none.
            let first = if p.redraw == Redraw::Particle { i * dim } else { 0 };
            let paired = || &axes[first..first + 2 * pairs];
            for ((c, r), to) in strengths.into_iter().zip(draws).zip([y.row(i), attraction.leader(y, i)]) {
                let r = r.row(i);
                match p.rotation {
                    Rotation::Givens => pull_in_pairs(paired(), [sin, cos], c, r, to, x, v),
                    Rotation::Literal => pull_literally(paired(), cos * cos, c, r, to, x, v),
                    Rotation::Covariance => pull_along(principal, c, r, to, x, v, turned),
                }
            }
            x.iter_mut().zip(v).for_each(|(x, v)| *x += *v);
            space.repair(x, 0, &mut outside.row(i));
        };
        let v = swarm.v.data_mut().par_chunks_exact_mut(dim);
        let rows = swarm.x.data_mut().par_chunks_exact_mut(dim).zip(v);
        let rows =
            rows.zip(self.m.data_mut().par_chunks_exact_mut(dim)).zip(self.turned.data_mut().par_chunks_exact_mut(dim));
        if rayon::current_thread_index().is_some() {
            rows.enumerate().for_each(particle);
        } else {
            let rows = swarm.x.iter_mut().zip(swarm.v.iter_mut()).zip(self.m.iter_mut()).zip(self.turned.iter_mut());
            rows.enumerate().for_each(particle);
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        self.attraction.lead(swarm);
        Remembered::Done
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        view.matrices.push(("m", self.m.rows()));
    }
}

impl<F: Real> Rempso<F> {
    fn choose_axes(&mut self, swarm: &Swarm<F>, rng: &Rng) {
        let dim = swarm.dim();
        if self.params.rotation == Rotation::Covariance {
            principal_axes(&swarm.y, &mut self.principal);
            return;
        }
        let rng = rng.fork("rotation");
        let sets = if self.params.redraw == Redraw::Particle { swarm.len() } else { 1 };
        self.axes.clear();
        self.axes.extend((0..sets).flat_map(|_| 0..dim));
        self.axes.chunks_exact_mut(dim).enumerate().for_each(|(i, axes)| rng.row(i).shuffle(axes));
    }
}

/// v += A' diag(c r) A (to - x) where A turns the pairs of axes by an angle and leaves the others.
fn pull_in_pairs<F: Real>(pairs: &[usize], [sin, cos]: [F; 2], c: F, r: &[F], to: &[F], x: &[F], v: &mut [F]) {
    for (((v, &r), &to), &x) in v.iter_mut().zip(r).zip(to).zip(x) {
        *v += c * r * (to - x);
    }
    for pair in pairs.chunks_exact(2) {
        let (a, b) = (pair[0], pair[1]);
        let (za, zb) = (to[a] - x[a], to[b] - x[b]);
        let (ua, ub) = (c * r[a] * (cos * za - sin * zb), c * r[b] * (sin * za + cos * zb));
        // What the loop above added for this pair is replaced.
        v[a] += cos * ua + sin * ub - c * r[a] * za;
        v[b] += cos * ub - sin * ua - c * r[b] * zb;
    }
}

/// v += diag(c r cos^2 theta) (to - x) on the axes of the pairs, diag(c r) (to - x) elsewhere: no rotation.
fn pull_literally<F: Real>(pairs: &[usize], cos2: F, c: F, r: &[F], to: &[F], x: &[F], v: &mut [F]) {
    for (((v, &r), &to), &x) in v.iter_mut().zip(r).zip(to).zip(x) {
        *v += c * r * (to - x);
    }
    for &a in pairs {
        v[a] += (cos2 - F::one()) * c * r[a] * (to[a] - x[a]);
    }
}

/// v += A' diag(c r) A (to - x) where the rows of A are `axes`.
fn pull_along<F: Real>(axes: &Matrix<F>, c: F, r: &[F], to: &[F], x: &[F], v: &mut [F], turned: &mut [F]) {
    for (t, axis) in turned.iter_mut().zip(axes.iter()) {
        *t = axis.iter().zip(to.iter().zip(x)).fold(F::zero(), |sum, (&a, (&to, &x))| sum + a * (to - x));
    }
    for ((&t, &r), axis) in turned.iter().zip(r).zip(axes.iter()) {
        v.iter_mut().zip(axis).for_each(|(v, &a)| *v += a * (c * r * t));
    }
}

/// The eigenvectors of the covariance of `points`, one a row, largest variance first.
fn principal_axes<F: Real>(points: &Matrix<F>, axes: &mut Matrix<F>) {
    let (n, dim) = (points.len(), points.dim());
    let mean: Vec<f64> = (0..dim).map(|j| points.iter().map(|p| p[j].f64()).sum::<f64>() / n as f64).collect();
    let mut covariance = vec![0.0; dim * dim];
    for (j, row) in covariance.chunks_exact_mut(dim).enumerate() {
        for (k, c) in row[..=j].iter_mut().enumerate() {
            *c = points.iter().map(|p| (p[j].f64() - mean[j]) * (p[k].f64() - mean[k])).sum::<f64>() / n as f64;
        }
    }
    let mut eigen = Eigen::identity(dim);
    // Where it fails (points that are not finite) the axes stay upright.
    if !eigen.decompose(&covariance) {
        eigen = Eigen::identity(dim);
    }
    let mut order: Vec<usize> = (0..dim).collect();
    order.sort_by(|&a, &b| eigen.values[b].total_cmp(&eigen.values[a]));
    axes.resize(dim, dim);
    for (axis, k) in axes.iter_mut().zip(order) {
        axis.iter_mut().zip(&eigen.vectors[k * dim..]).for_each(|(a, &v)| *a = F::of(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIM: usize = 5;
    const C: f64 = 0.8;

    /// The matrix that a pull multiplies the way to its attractor by, column by column.
    fn operator(pull: impl Fn(&[f64], &mut [f64])) -> [[f64; DIM]; DIM] {
        std::array::from_fn(|j| {
            let (mut to, mut v) = ([0.0; DIM], [0.0; DIM]);
            to[j] = 1.0;
            pull(&to, &mut v);
            v
        })
    }

    /// The largest distance of a matrix to diag(wanted).
    fn gap(matrix: &[[f64; DIM]; DIM], wanted: [f64; DIM]) -> f64 {
        let entries =
            matrix.iter().enumerate().flat_map(|(j, column)| column.iter().enumerate().map(move |(i, m)| (i, j, m)));
        entries.fold(0.0, |gap, (i, j, m)| gap.max((m - if i == j { wanted[i] } else { 0.0 }).abs()))
    }

    #[test]
    fn rotations_are_orthogonal_and_vanish_where_all_draws_are_equal() {
        let (sin, cos) = (std::f64::consts::PI / 5.0).sin_cos();
        let (pairs, x) = ([3, 0, 4, 1], [0.0; DIM]);
        let mut cloud = Matrix::zeros(20, DIM);
        Rng::new(4).fill_normal(0..20, 0..DIM, cloud.data_mut());
        let mut axes = Matrix::default();
        principal_axes(&cloud, &mut axes);
        for (i, a) in axes.iter().enumerate() {
            for (k, b) in axes.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - if i == k { 1.0 } else { 0.0 }).abs() < 1e-12, "rows {i} and {k}: {product}");
            }
        }
        let turning = |r: [f64; DIM]| {
            let in_pairs = operator(|to, v| pull_in_pairs(&pairs, [sin, cos], C, &r, to, &x, v));
            let along = operator(|to, v| pull_along(&axes, C, &r, to, &x, v, &mut [0.0; DIM]));
            [in_pairs, along]
        };
        // A' (c r I) A = c r I: with A'A = I nothing is turned.
        for matrix in turning([0.3; DIM]) {
            assert!(gap(&matrix, [C * 0.3; DIM]) < 1e-12, "{matrix:?}");
        }
        let unequal = [0.1, 0.9, 0.4, 0.7, 0.2];
        for matrix in turning(unequal) {
            let trace: f64 = (0..DIM).map(|j| matrix[j][j]).sum();
            assert!((trace - C * unequal.iter().sum::<f64>()).abs() < 1e-12, "{matrix:?}");
            assert!((0..DIM).any(|j| (0..DIM).any(|i| i != j && matrix[j][i].abs() > 0.01)), "{matrix:?}");
        }
        // The literal form is diagonal: cos^2 36 degrees on the axes of the pairs.
        let literal = operator(|to, v| pull_literally(&pairs, cos * cos, C, &[0.3; DIM], to, &x, v));
        let short = 0.654_508_497_187_473_7 * C * 0.3;
        assert!(gap(&literal, [short, short, C * 0.3, short, short]) < 1e-12, "{literal:?}");
    }
}
