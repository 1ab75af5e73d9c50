//! The swarms: PSO, EMPSO and CBO, their learnable numbers and the adjoints of their moves.
//!
//! A memory y is moved by what the move of its own particle, and of those it led, says of it. Draws are read again from the
//! streams of the move, so that the plain kernel needs to keep nothing.

use super::frame::Adjoint;
use super::selection::{Nothing, Selecting};
use super::swarming::{Before, Plain};
use crate::learn::{Learnable, Link};
use crate::operator::Operator;
use crate::operator::travel::{Cbo as CboMove, Empso as EmpsoMove, Inside, Pso as PsoMove};
use swarmgrad_algorithms::particle::{Swarm, cbo, empso, pso};
use swarmgrad_core::{Error, Matrix, Real, Result, Rng, Space};

/// Room for a row of a move: its inputs, outputs, draws and derivatives.
#[derive(Default)]
struct Row {
    inputs: Vec<f64>,
    outputs: Vec<f64>,
    d_inputs: Vec<f64>,
    back: Vec<f64>,
}

impl Row {
    /// Puts points behind one another as inputs.
    fn load<F: Real>(&mut self, points: &[&[F]]) {
        self.inputs.clear();
        points.iter().for_each(|point| self.inputs.extend(point.iter().map(|t| t.f64())));
    }

    /// The adjoint of a move whose first output is the new position, and of the bounds after it.
    #[allow(clippy::too_many_arguments)]
    fn pull_back<O: Operator>(
        &mut self,
        operator: &O,
        theta: &[f64],
        space: &Space<f64>,
        rng: &Rng,
        row: usize,
        cotangent: &[f64],
        d_theta: &mut [f64],
    ) {
        let sizes = operator.sizes();
        self.outputs.resize(sizes.outputs, 0.0);
        operator.forward(theta, &self.inputs, &mut self.outputs);
        self.back.clear();
        self.back.resize(sizes.outputs, 0.0);
        let dim = space.dim();
        Inside::new(space, rng, row).vjp(&[], &self.outputs[..dim], cotangent, &mut [], &mut self.back[..dim]);
        self.d_inputs.clear();
        self.d_inputs.resize(sizes.inputs, 0.0);
        operator.vjp(theta, &self.inputs, &self.back, d_theta, &mut self.d_inputs);
    }

    /// Adds the derivative by input `k`.
    fn give(&self, k: usize, out: &mut [f64]) {
        let dim = out.len();
        out.iter_mut().zip(&self.d_inputs[k * dim..]).for_each(|(o, d)| *o += d);
    }
}

/// The draws r1 and r2 of a swarm, as the plain method makes them.
fn uniforms(rng: &Rng, n: usize, dim: usize) -> [Matrix<f64>; 2] {
    ["r1", "r2"].map(|label| {
        let mut draws = Matrix::zeros(n, dim);
        rng.fork(label).fill_uniform(0..n, 0..dim, draws.data_mut());
        draws
    })
}

const PULL: Link = Link::Sigmoid(4.0);

const fn pull(name: &'static str) -> Learnable {
    Learnable { name, link: PULL, bounds: [0.01, 3.99] }
}

fn smooth(is: bool, label: &str) -> Result<()> {
    let rule = format!("must be classical | hybrid where the move of {label} has a speed limit or shared draws");
    if is { Ok(()) } else { Err(Error::parameter("mode", "adaptive | diff | full", rule)) }
}

impl<F: Real> Plain<F> for pso::Pso {
    const LABEL: &'static str = "diff_pso";
    const MEMORIES: bool = true;
    const TRAVELS: bool = true;
    type Added = Nothing;
    const THETA: &'static [Learnable] =
        &[Learnable { name: "inertia", link: Link::Sigmoid(1.2), bounds: [0.01, 1.19] }, pull("c1"), pull("c2")];

    fn is_smooth(&self, _dim: usize) -> Result<()> {
        smooth(pso::Pso::is_smooth(self), "pso")
    }

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        out.extend(self.law());
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law([theta[0], theta[1], theta[2]]);
    }

    fn lead(&mut self, swarm: &Swarm<F>) {
        pso::Pso::lead(self, swarm);
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        _selecting: &Selecting,
        _tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let (swarm, theta) = (&before.swarm, self.law());
        let [r1, r2] = uniforms(&before.rng, swarm.len(), swarm.dim());
        let (outside, mut row) = (before.rng.fork("outside"), Row::default());
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            let leader = self.leader(i);
            row.load(&[swarm.x.row(i), swarm.v.row(i), swarm.y.row(i), swarm.y.row(leader)]);
            let operator = PsoMove { r1: r1.row(i), r2: r2.row(i) };
            row.pull_back(&operator, &theta, space, &outside, i, c, adjoint.theta);
            row.give(2, adjoint.points.row_mut(i));
            row.give(3, adjoint.points.row_mut(leader));
        }
    }
}

impl<F: Real> Plain<F> for empso::Empso<F> {
    const LABEL: &'static str = "diff_empso";
    const MEMORIES: bool = true;
    const TRAVELS: bool = true;
    type Added = Nothing;
    const THETA: &'static [Learnable] =
        &[Learnable { name: "beta", link: Link::Sigmoid(1.0), bounds: [0.01, 0.99] }, pull("c1"), pull("c2")];

    fn is_smooth(&self, _dim: usize) -> Result<()> {
        smooth(empso::Empso::is_smooth(self), "empso")
    }

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        out.extend(self.law());
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law([theta[0], theta[1], theta[2]]);
    }

    fn lead(&mut self, swarm: &Swarm<F>) {
        empso::Empso::lead(self, swarm);
    }

    fn momentum(&mut self) -> Option<&mut Matrix<F>> {
        Some(empso::Empso::momentum(self))
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        _selecting: &Selecting,
        _tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let (swarm, theta) = (&before.swarm, self.law());
        let [r1, r2] = uniforms(&before.rng, swarm.len(), swarm.dim());
        let (outside, mut row) = (before.rng.fork("outside"), Row::default());
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            let leader = self.leader(i);
            let m = before.momentum.row(i);
            row.load(&[swarm.x.row(i), swarm.v.row(i), m, swarm.y.row(i), swarm.y.row(leader)]);
            let operator = EmpsoMove { r1: r1.row(i), r2: r2.row(i) };
            row.pull_back(&operator, &theta, space, &outside, i, c, adjoint.theta);
            row.give(3, adjoint.points.row_mut(i));
            row.give(4, adjoint.points.row_mut(leader));
        }
    }
}

impl<F: Real> Plain<F> for cbo::Cbo<F> {
    const LABEL: &'static str = "diff_cbo";
    const MEMORIES: bool = false;
    const TRAVELS: bool = true;
    type Added = Nothing;
    const THETA: &'static [Learnable] = &[
        Learnable { name: "lambda", link: Link::Exp, bounds: [1e-3, 1e3] },
        Learnable { name: "sigma", link: Link::Exp, bounds: [1e-6, 1e3] },
    ];

    fn is_smooth(&self, _dim: usize) -> Result<()> {
        smooth(cbo::Cbo::is_smooth(self), "cbo")
    }

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        let [lambda, sigma, _] = self.law();
        out.extend([lambda, sigma]);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law(theta[0], theta[1]);
    }

    fn lead(&mut self, swarm: &Swarm<F>) {
        cbo::Cbo::lead(self, swarm);
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        _selecting: &Selecting,
        _tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let (swarm, [lambda, sigma, dt]) = (&before.swarm, self.law());
        let (n, dim) = (swarm.len(), swarm.dim());
        let mut noise = Matrix::zeros(n, dim);
        before.rng.fork("xi2").fill_normal(0..n, 0..dim, noise.data_mut());
        let outside = before.rng.fork("outside");
        let (mut row, mut d_theta) = (Row::default(), [0.0; 2]);
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            row.load(&[swarm.x.row(i), self.consensus()]);
            let theta = [lambda * dt, sigma * dt.sqrt()];
            row.pull_back(&CboMove { noise: noise.row(i) }, &theta, space, &outside, i, c, &mut d_theta);
            // The consensus is a mean of many; it is held fixed here.
            row.give(0, adjoint.points.row_mut(i));
        }
        adjoint.theta[0] += d_theta[0] * dt;
        adjoint.theta[1] += d_theta[1] * dt.sqrt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_algorithms::particle::Motion;

    /// The operators' forward, with the draws of a move, gives the plain kernel's bits.
    #[test]
    fn forward_law() {
        let (n, dim) = (9, 6);
        let space = Space::cube(dim, -2.0, 2.0).unwrap();
        let rng = Rng::new(3).at(5);
        let mut start = Matrix::zeros(n, dim);
        rng.fork("start").fill_uniform(0..n, 0..dim, start.data_mut());
        let values: Vec<f64> = start.iter().map(|x| x.iter().map(|t| t * t).sum()).collect();
        let swarm = Swarm { x: start.clone(), v: Matrix::zeros(n, dim), y: start, fx: values.clone(), fy: values };

        let mut pso: pso::Pso = Motion::<f64>::new(pso::Params::default(), &space, None).unwrap();
        let mut moved = swarm.clone();
        pso.begin(&mut moved);
        for step in 0..5 {
            let rng = rng.at(step);
            let before = moved.clone();
            pso.advance(&mut moved, &space, &rng);
            let [r1, r2] = uniforms(&rng, n, dim);
            let outside = rng.fork("outside");
            let mut row = Row::default();
            for i in 0..n {
                row.load(&[before.x.row(i), before.v.row(i), before.y.row(i), before.y.row(pso.leader(i))]);
                let mut out = vec![0.0; 2 * dim];
                PsoMove { r1: r1.row(i), r2: r2.row(i) }.forward(&pso.law(), &row.inputs, &mut out);
                assert_eq!(&out[dim..], moved.v.row(i));
                let mut inside = vec![0.0; dim];
                Inside::new(&space, &outside, i).forward(&[], &out[..dim], &mut inside);
                assert_eq!(inside, moved.x.row(i));
            }
        }

        let mut empso: empso::Empso<f64> = Motion::new(empso::Params::default(), &space, None).unwrap();
        let mut moved = swarm.clone();
        empso.begin(&mut moved);
        for step in 0..5 {
            let rng = rng.at(step);
            let (before, m) = (moved.clone(), empso.momentum().clone());
            empso.advance(&mut moved, &space, &rng);
            let [r1, r2] = uniforms(&rng, n, dim);
            let mut row = Row::default();
            for i in 0..n {
                let g = before.y.row(empso.leader(i));
                row.load(&[before.x.row(i), before.v.row(i), m.row(i), before.y.row(i), g]);
                let mut out = vec![0.0; 3 * dim];
                EmpsoMove { r1: r1.row(i), r2: r2.row(i) }.forward(&empso.law(), &row.inputs, &mut out);
                assert_eq!(&out[dim..2 * dim], moved.v.row(i));
                assert_eq!(&out[2 * dim..], empso.momentum().row(i));
            }
        }

        let params = cbo::Params { dt: 0.1, sigma: 2.0, ..cbo::Params::default() };
        let mut cbo: cbo::Cbo<f64> = Motion::new(params, &space, None).unwrap();
        let mut moved = swarm;
        cbo.begin(&mut moved);
        let (before, c) = (moved.clone(), cbo.consensus().to_vec());
        cbo.advance(&mut moved, &space, &rng);
        let mut noise = Matrix::zeros(n, dim);
        rng.fork("xi2").fill_normal(0..n, 0..dim, noise.data_mut());
        let outside = rng.fork("outside");
        let mut row = Row::default();
        for i in 0..n {
            row.load(&[before.x.row(i), &c]);
            let (mut out, mut inside) = (vec![0.0; dim], vec![0.0; dim]);
            let [lambda, sigma, dt] = cbo.law();
            CboMove { noise: noise.row(i) }.forward(&[lambda * dt, sigma * dt.sqrt()], &row.inputs, &mut out);
            Inside::new(&space, &outside, i).forward(&[], &out, &mut inside);
            assert_eq!(inside, moved.x.row(i));
        }
    }
}
