//! The evolutionary methods: GA, DE, jDE and SHADE, their learnable numbers and the adjoints of their moves.
//!
//! Draws are read again from the streams of the move, so that the plain kernel needs to keep nothing. Straight-through masks:
//! a rate has the derivative of its gate at temperature tau. Selection has a form and a temperature of its own ([`selection`]).
//!
//! [`selection`]: super::Selecting

use super::frame::Adjoint;
use super::selection::{
    Candidates, Mating, Nothing, PRESSURE, Part, Ranking, Rivals, Selecting, Selection, TEMPERATURE,
};
use super::swarming::{Before, Plain, wide};
use crate::learn::{Learnable, Link};
use crate::operator::Operator;
use crate::operator::cross::{Recombination, Recombine, Sbx};
use crate::operator::mutate::{Difference, Kind, Polynomial};
use crate::operator::select::Choose;
use crate::operator::travel::Inside;
use crate::relax::Relaxation;
use swarmgrad_algorithms::evolution::select::{best_share, others};
use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_algorithms::particle::{Motion, Swarm};
use swarmgrad_core::{Matrix, Real, Rng, Space};

const fn rate(name: &'static str) -> Learnable {
    // The logits stay within [-6, 6].
    Learnable { name, link: Link::Sigmoid(1.0), bounds: [0.002_472_623_156_634_775, 0.997_527_376_843_365_2] }
}

const fn index(name: &'static str) -> Learnable {
    Learnable { name, link: Link::Exp, bounds: [0.5, 200.0] }
}

/// The move of one trial of differential evolution, and its adjoint.
struct Trial<'a> {
    kind: Kind,
    /// The individuals that make the mutant.
    parents: [usize; 4],
    /// The trial's own parent.
    own: usize,
    recombine: Recombine<'a>,
    weight: f64,
    rate: f64,
}

impl Trial<'_> {
    /// Adds the derivatives by F, CR and the points; `row` is that of the repair's draws.
    fn pull_back(
        &self,
        y: &Matrix<f64>,
        space: &Space<f64>,
        outside: &Rng,
        cotangent: &[f64],
        d_theta: &mut [f64],
        d_points: &mut Matrix<f64>,
    ) {
        let dim = y.dim();
        let parents = if self.kind == Kind::Base { &self.parents[..3] } else { &self.parents[..] };
        let difference = Difference { kind: self.kind, dim, each: false };
        let theta: &[f64] = if self.kind == Kind::Base { &[self.weight] } else { &[self.weight, self.weight] };
        let points: Vec<f64> = parents.iter().flat_map(|&p| y.row(p)).copied().collect();
        let mut pair = vec![0.0; 2 * dim];
        let (mutant, parent) = pair.split_at_mut(dim);
        difference.forward(theta, &points, mutant);
        parent.copy_from_slice(y.row(self.own));
        let mut trial = vec![0.0; dim];
        self.recombine.forward(&[self.rate], &pair, &mut trial);

        let (mut d_trial, mut d_pair) = (vec![0.0; dim], vec![0.0; 2 * dim]);
        Inside::new(space, outside, self.own).vjp(&[], &trial, cotangent, &mut [], &mut d_trial);
        let mut d_rate = [0.0];
        self.recombine.vjp(&[self.rate], &pair, &d_trial, &mut d_rate, &mut d_pair);
        let (mut d_weight, mut d_inputs) = (vec![0.0; theta.len()], vec![0.0; points.len()]);
        difference.vjp(theta, &points, &d_pair[..dim], &mut d_weight, &mut d_inputs);
        if let [by_weight, by_rate, ..] = d_theta {
            *by_weight += d_weight.iter().sum::<f64>();
            *by_rate += d_rate[0];
        }
        let mut add = |i: usize, d: &[f64]| d_points.row_mut(i).iter_mut().zip(d).for_each(|(o, d)| *o += d);
        add(self.own, &d_pair[dim..]);
        parents.iter().zip(d_inputs.chunks_exact(dim)).for_each(|(&p, d)| add(p, d));
    }
}

/// The points in double precision.
pub(super) fn widened<F: Real>(points: &Matrix<F>) -> Matrix<f64> {
    let mut wide = Matrix::zeros(points.len(), points.dim());
    wide.data_mut().iter_mut().zip(points.data()).for_each(|(w, x)| *w = x.f64());
    wide
}

/// The uniform numbers of one row.
fn drawn<F: Real>(rng: &Rng, row: usize, dim: usize) -> Vec<f64> {
    let mut draws = vec![F::zero(); dim];
    rng.row(row).fill_uniform(&mut draws);
    draws.iter().map(|u| u.f64()).collect()
}

impl<F: Real> Plain<F> for de::De {
    const LABEL: &'static str = "diff_de";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    const THETA: &'static [Learnable] =
        &[Learnable { name: "weight", link: Link::Exp, bounds: [0.01, 2.0] }, rate("crossover"), TEMPERATURE];
    const SELECTION: usize = 1;
    type Added = Selection;

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        out.extend([self.params().weight, self.params().crossover]);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law(theta[0], theta[1]);
    }

    fn mix(rivals: &Rivals<'_, F>, r: usize, temperature: f64, parts: &mut Vec<Part>) {
        rivals.greedy(r, temperature, parts);
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        _selecting: &Selecting,
        tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let (y, params) = (widened(&before.swarm.y), self.params());
        let (n, dim) = (y.len(), y.dim());
        let [picks, crosses, outside] = ["pick", "cross", "outside"].map(|label| before.rng.fork(label));
        let best = best_share(params.best, n);
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            let mut draws = picks.row(i);
            let (kind, parents) = match params.mutation {
                de::Mutation::Rand => {
                    let [r1, r2, r3] = others(i, n, |len| draws.below(len));
                    (Kind::Base, [r1, r2, r3, i])
                }
                de::Mutation::CurrentToPbest => {
                    let pbest = self.best()[draws.below(best)];
                    let [r1, r2] = others(i, n, |len| draws.below(len));
                    (Kind::Current, [i, pbest, r1, r2])
                }
            };
            let start = draws.below(dim);
            let kind_of_cross = match params.recombination {
                de::Recombination::Binomial => Recombination::Binomial(start),
                de::Recombination::Exponential => Recombination::Exponential(start),
            };
            let uniforms = drawn::<F>(&crosses, i, dim);
            let relax = Relaxation::straight_through(tau);
            let recombine = Recombine { relax, kind: kind_of_cross, draws: &uniforms, each: false };
            let trial = Trial { kind, parents, own: i, recombine, weight: params.weight, rate: params.crossover };
            trial.pull_back(&y, space, &outside, c, adjoint.theta, adjoint.points);
        }
    }
}

impl<F: Real> Plain<F> for jde::Jde {
    const LABEL: &'static str = "diff_jde";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    // F and CR of the individuals learn from their own successes.
    const THETA: &'static [Learnable] = &[];
    type Added = Nothing;
}

impl<F: Real> Plain<F> for shade::Shade<F> {
    const LABEL: &'static str = "diff_shade";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    // M_F and M_CR learn from successes.
    const THETA: &'static [Learnable] = &[];
    type Added = Nothing;
}

impl<F: Real> Plain<F> for ga::Ga<F> {
    const LABEL: &'static str = "diff_ga";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    const THETA: &'static [Learnable] =
        &[rate("crossover"), index("eta_c"), rate("mutation"), index("eta_m"), TEMPERATURE, PRESSURE];
    const SELECTION: usize = 2;
    type Added = Mating;

    fn theta(&self, dim: usize, out: &mut Vec<f64>) {
        let p = self.params();
        out.extend([p.crossover, p.eta_c, p.mutation.unwrap_or(1.0 / dim as f64), p.eta_m]);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law([theta[0], theta[1], theta[2], theta[3]]);
    }

    fn survivors(&self) -> Option<&[usize]> {
        Some(ga::Ga::survivors(self))
    }

    fn advance_selecting(&mut self, selecting: &Selecting, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        if selecting.has_plain_parents() {
            self.advance(swarm, space, rng);
        } else if let Some(wide) = wide(space) {
            breed(self, selecting, swarm, space, &wide, rng);
        }
    }

    fn mix(rivals: &Rivals<'_, F>, r: usize, temperature: f64, parts: &mut Vec<Part>) {
        rivals.sorted(r, temperature, parts);
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        selecting: &Selecting,
        tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let y = widened(&before.swarm.y);
        let (n, dim) = (y.len(), y.dim());
        let ranking = Ranking::of(&before.swarm.fy);
        let litters = Litters::new(self, selecting, space, &ranking, &y, &before.rng, tau);
        for k in 0..n.div_ceil(2) {
            let litter = litters.draw(k);
            let (mut d_children, mut d_mutating) = (vec![0.0; 2 * dim], [0.0; 2]);
            let children = litters.children(&litter);
            for i in 0..2.min(n - 2 * k) {
                let (row, half) = (2 * k + i, i * dim..(i + 1) * dim);
                let mutant = litters.mutant(row, &children[half.clone()]);
                let mut d_mutant = vec![0.0; dim];
                Inside::new(space, &litters.outside, row).vjp(&[], &mutant, cotangent.row(row), &mut [], &mut d_mutant);
                let (child, d_child) = (&children[half.clone()], &mut d_children[half]);
                litters.pull_mutant(row, child, &d_mutant, &mut d_mutating, d_child);
            }
            let (mut d_crossing, mut d_parents) = ([0.0; 2], vec![0.0; 2 * dim]);
            litters.cross(&litter).vjp(
                &litters.crossing,
                &litter.parents,
                &d_children,
                &mut d_crossing,
                &mut d_parents,
            );
            for (theta, d) in adjoint.theta.iter_mut().zip([d_crossing[1], d_crossing[0], d_mutating[1], d_mutating[0]])
            {
                *theta += d;
            }
            for (candidates, d) in litter.candidates.iter().zip(d_parents.chunks_exact(dim)) {
                litters.pull_parent(candidates, d, &mut adjoint.theta[4..], adjoint.points);
            }
        }
    }
}

/// The move of the genetic algorithm with any selection of parents, in double precision.
fn breed<F: Real>(
    ga: &ga::Ga<F>,
    selecting: &Selecting,
    swarm: &mut Swarm<F>,
    space: &Space<F>,
    wide: &Space<f64>,
    rng: &Rng,
) {
    let y = widened(&swarm.y);
    let (n, dim) = (y.len(), y.dim());
    let ranking = Ranking::of(&swarm.fy);
    let litters = Litters::new(ga, selecting, wide, &ranking, &y, rng, 1.0);
    for k in 0..n.div_ceil(2) {
        let children = litters.children(&litters.draw(k));
        for i in 0..2.min(n - 2 * k) {
            let mutant = litters.mutant(2 * k + i, &children[i * dim..(i + 1) * dim]);
            let child = swarm.x.row_mut(2 * k + i);
            child.iter_mut().zip(&mutant).for_each(|(x, m)| *x = F::of(*m));
            space.repair(child, 0, &mut litters.outside.row(2 * k + i));
        }
    }
}

/// What all pairs of a generation share.
struct Litters<'a> {
    selecting: Selecting,
    ranking: &'a Ranking,
    /// Masks, differentiated as if they were soft.
    relax: Relaxation,
    space: &'a Space<f64>,
    y: &'a Matrix<f64>,
    /// eta_c, p_c.
    crossing: [f64; 2],
    /// eta_m, p_m.
    mutating: [f64; 2],
    pair: Rng,
    which: Rng,
    spread: Rng,
    mutate: Rng,
    outside: Rng,
}

/// A pair of parents and its draws.
struct Litter {
    candidates: [Candidates; 2],
    /// Both, one behind the other.
    parents: Vec<f64>,
    crossed: f64,
    which: Vec<f64>,
    spread: Vec<f64>,
}

impl<'a> Litters<'a> {
    fn new<F: Real>(
        ga: &ga::Ga<F>,
        selecting: &Selecting,
        space: &'a Space<f64>,
        ranking: &'a Ranking,
        y: &'a Matrix<f64>,
        rng: &Rng,
        tau: f64,
    ) -> Self {
        let mut numbers = Vec::new();
        Plain::<F>::theta(ga, y.dim(), &mut numbers);
        let [pair, which, spread, mutate, outside] =
            ["pair", "which", "spread", "mutate", "outside"].map(|label| rng.fork(label));
        Litters {
            selecting: *selecting,
            ranking,
            relax: Relaxation::straight_through(tau),
            space,
            y,
            crossing: [numbers[1], numbers[0]],
            mutating: [numbers[3], numbers[2]],
            pair,
            which,
            spread,
            mutate,
            outside,
        }
    }

    fn draw(&self, k: usize) -> Litter {
        let mut draws = self.pair.row(k);
        let candidates = [(); 2].map(|()| Candidates::draw(&self.selecting, self.ranking, &mut draws));
        let crossed = draws.uniform();
        let dim = self.y.dim();
        let mut parents = vec![0.0; 2 * dim];
        for (parent, candidates) in parents.chunks_exact_mut(dim).zip(&candidates) {
            self.choose(candidates).forward(&[], &self.inputs(candidates), parent);
        }
        let [which, spread] = [&self.which, &self.spread].map(|rng| singles(rng, k, dim));
        Litter { candidates, parents, crossed, which, spread }
    }

    fn choose(&self, candidates: &Candidates) -> Choose<'static> {
        Choose { relax: self.selecting.relax(), gumbel: &[], n: candidates.who.len(), dim: self.y.dim() }
    }

    /// Logits and points of those who may become a parent.
    fn inputs(&self, candidates: &Candidates) -> Vec<f64> {
        let points = candidates.who.iter().flat_map(|&i| self.y.row(i));
        candidates.logits.iter().chain(points).copied().collect()
    }

    /// Adds the derivatives by temperature and pressure, as far as there are any, and by the points.
    fn pull_parent(&self, candidates: &Candidates, d: &[f64], d_selection: &mut [f64], d_points: &mut Matrix<f64>) {
        let inputs = self.inputs(candidates);
        let mut d_inputs = vec![0.0; inputs.len()];
        self.choose(candidates).vjp(&[], &inputs, d, &mut [], &mut d_inputs);
        let (d_logits, d_inputs) = d_inputs.split_at(candidates.who.len());
        let along = |direction: &[f64]| d_logits.iter().zip(direction).map(|(d, l)| d * l).sum::<f64>();
        // The weights are a function of logits / tau.
        if let [by_temperature, by_pressure] = d_selection {
            *by_temperature -= along(&candidates.logits) / self.selecting.temperature;
            *by_pressure += along(&candidates.by_pressure);
        }
        for (&p, d) in candidates.who.iter().zip(d_inputs.chunks_exact(self.y.dim())) {
            d_points.row_mut(p).iter_mut().zip(d).for_each(|(o, d)| *o += d);
        }
    }

    fn cross<'b>(&'b self, litter: &'b Litter) -> Sbx<'b> {
        Sbx {
            relax: self.relax,
            pair: litter.crossed,
            which: &litter.which,
            spread: &litter.spread,
            lower: self.space.lower(),
            upper: self.space.upper(),
        }
    }

    fn children(&self, litter: &Litter) -> Vec<f64> {
        let mut children = vec![0.0; litter.parents.len()];
        self.cross(litter).forward(&self.crossing, &litter.parents, &mut children);
        children
    }

    /// Calls `with` with the mutation of a row.
    fn mutation<T>(&self, row: usize, with: impl FnOnce(Polynomial<'_>) -> T) -> T {
        let draws = singles(&self.mutate, row, self.y.dim());
        let sizes: Vec<f64> = draws.iter().map(|u| (u / self.mutating[1]).min(1.0)).collect();
        let [lower, upper] = [self.space.lower(), self.space.upper()];
        with(Polynomial { relax: self.relax, draws: &draws, sizes: &sizes, lower, upper })
    }

    fn mutant(&self, row: usize, child: &[f64]) -> Vec<f64> {
        let mut mutant = vec![0.0; child.len()];
        self.mutation(row, |mutation| mutation.forward(&self.mutating, child, &mut mutant));
        mutant
    }

    fn pull_mutant(&self, row: usize, child: &[f64], d: &[f64], d_mutating: &mut [f64], d_child: &mut [f64]) {
        self.mutation(row, |mutation| mutation.vjp(&self.mutating, child, d, d_mutating, d_child));
    }
}

/// Uniform numbers drawn one by one.
fn singles(rng: &Rng, row: usize, dim: usize) -> Vec<f64> {
    let mut draws = rng.row(row);
    (0..dim).map(|_| draws.uniform()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relax::Form;

    /// The text of the move that selects in any way is that of the plain kernel where it selects as that does.
    #[test]
    fn hard_parents_are_those_of_the_plain_kernel() {
        for (n, failures) in [(12, 0), (9, 4)] {
            let (dim, rng) = (5, Rng::new(4).at(2));
            let space = Space::cube(dim, -1.02, 1.02).unwrap();
            let mut y = Matrix::zeros(n, dim);
            rng.fork("start").fill_uniform(0..n, 0..dim, y.data_mut());
            // Ties, and failures.
            let fy: Vec<f64> = (0..n).map(|i| if i < failures { f64::INFINITY } else { (i / 3) as f64 }).collect();
            let mut swarm = Swarm { x: y.clone(), v: Matrix::default(), y, fx: fy.clone(), fy };
            let params = ga::Params { particles: n, mutation: Some(0.4), eta_c: 3.0, ..ga::Params::default() };
            let mut plain = ga::Ga::<f64>::new(params, &space, None).unwrap();
            for form in [Form::Hard, Form::StraightThrough] {
                let selecting = Selecting { form, ..Selecting::HARD };
                let mut same = swarm.clone();
                breed(&plain, &selecting, &mut same, &space, &space, &rng);
                plain.advance(&mut swarm, &space, &rng);
                let bits = |x: &Matrix<f64>| x.data().iter().map(|t| t.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&same.x), bits(&swarm.x), "{form:?}");
            }
            // In the limit soft parents are the hard ones, ties and failures included.
            let mut cold = swarm.clone();
            breed(
                &plain,
                &Selecting { form: Form::Soft, temperature: 1e-5, ..Selecting::HARD },
                &mut cold,
                &space,
                &space,
                &rng,
            );
            assert_eq!(cold.x.data(), swarm.x.data());
            let mut warm = swarm.clone();
            breed(
                &plain,
                &Selecting { form: Form::Soft, temperature: 0.3, ..Selecting::HARD },
                &mut warm,
                &space,
                &space,
                &rng,
            );
            assert!(warm.x.data() != swarm.x.data());
        }
    }
}
