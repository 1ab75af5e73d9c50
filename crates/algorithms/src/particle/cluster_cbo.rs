//! Clustered consensus-based optimisation: several consensus points, each of the particles that are nearest to it, so that
//! a swarm finds several minima at once.
//!
//! Paper: Bungert, Roith, Wacker, "Polarized consensus-based dynamics for optimization and sampling" (Mathematical Programming
//! 2024), cluster CBO in the form of k means:
//!
//! ```text
//! a_i = argmin_j |X_i - c_j|,   c_j = sum_{a_i = j} w_i X_i / sum_{a_i = j} w_i,   w_i = exp(-alpha E(X_i))
//! X_i <- X_i + lambda dt (c_{a_i} - X_i) + sigma sqrt(dt) D(c_{a_i} - X_i) xi_i
//! ```
//!
//! The first centres are particles of the start: the first one, and then always the one farthest from the centres so far. A
//! centre that has lost its particles stays. One cluster is `cbo`. The answer is the centre of the best particle; the view shows all
//! centres as `c`. The minima ([`Motion::solutions`]) are the best particle of each cluster, where clusters count as one whose centres are
//! nearer than the sum of their spreads; one of them may lie on the border to another cluster, behind which it is lower.
//!
//! Differs from the paper: hard clusters instead of soft ones; the choice of the first centres.

use super::agreement::{Agreement, consensus_parameters};
use super::attractor::consensus;
use super::kinetic::distance;
use super::polar_cbo::approach;
use super::pso_sde::Noise;
use super::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Found, Matrix, Real, Result, Rng, Solutions, Space, View, best_index};

consensus_parameters! {
    /// Parameters of [`ClusterCbo`].
    pub struct Params {
        sigma = 8.0, alpha = 100.0;
        /// Drift towards the centre.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// Number of clusters; no more than there are particles.
        clusters "J": usize = 4, AtLeast(1.0);
    }
}

/// Clustered CBO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ClusterCbo<F: Real> {
    params: Params,
    agreement: Agreement<F>,
    centres: Matrix<F>,
    /// The cluster of each particle.
    cluster: Vec<usize>,
    /// The positions that were divided.
    seen: Matrix<F>,
    best: usize,
    #[serde(skip)]
    xi: Matrix<F>,
}

impl<F: Real> ClusterCbo<F> {
    /// The first centres.
    fn place(&mut self, swarm: &Swarm<F>) {
        self.centres = Matrix::empty(swarm.dim());
        self.centres.push(swarm.x.row(0));
        while self.centres.len() < self.params.clusters.min(swarm.len()) {
            let lonely = |x: &[F]| self.centres.iter().map(|c| distance(x, c)).fold(F::infinity(), F::min);
            let far: Vec<F> = swarm.x.iter().map(lonely).collect();
            let farthest = (0..far.len()).fold(0, |best, i| if far[i] > far[best] { i } else { best });
            self.centres.push(swarm.x.row(farthest));
        }
    }

    /// Particles to the nearest centre, then each centre to the consensus of its particles.
    fn gather(&mut self, swarm: &Swarm<F>) {
        self.cluster.clear();
        for x in swarm.x.iter() {
            let far = |j: usize| distance(x, self.centres.row(j));
            let nearest = (1..self.centres.len()).fold(0, |best, j| if far(j) < far(best) { j } else { best });
            self.cluster.push(nearest);
        }
        for j in 0..self.centres.len() {
            let members = (0..swarm.len()).filter(|&i| self.cluster[i] == j);
            consensus(&swarm.x, &swarm.fx, self.agreement.alpha, members, self.centres.row_mut(j));
        }
        self.seen.copy_from(swarm.x.rows());
        self.best = best_index(&swarm.fx).map_or(0, |i| self.cluster[i]);
    }

    /// The best particle of a cluster, if one of them has a finite value.
    fn leader(&self, cluster: usize, values: &[F]) -> Option<usize> {
        let members = (0..values.len()).filter(|&i| self.cluster[i] == cluster && values[i].is_finite());
        members.reduce(|best, i| if values[i] < values[best] { i } else { best })
    }

    /// The particles of a cluster, and the root mean square of their distances to its centre.
    fn spread(&self, cluster: usize) -> (usize, f64) {
        let members = (0..self.seen.len()).filter(|&i| self.cluster[i] == cluster);
        let squares = members.clone().map(|i| distance(self.seen.row(i), self.centres.row(cluster)).f64().powi(2));
        let particles = members.clone().count();
        (particles, (squares.sum::<f64>() / particles.max(1) as f64).sqrt())
    }
}

impl<F: Real> Motion<F> for ClusterCbo<F> {
    const NAME: &'static str = "cluster_cbo";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let agreement = params.agreement();
        let [centres, seen, xi] = [(); 3].map(|()| Matrix::default());
        Ok(ClusterCbo { params, agreement, centres, cluster: Vec::new(), seen, best: 0, xi })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        let (n, dim, clusters) = (swarm.len(), swarm.dim(), self.centres.len());
        saved::shape("centres", &self.centres, clusters.clamp(1, n), dim)?;
        saved::shape("seen", &self.seen, n, dim)?;
        saved::length("cluster", &self.cluster, n)?;
        saved::below("cluster", self.cluster.iter().chain([&self.best]), clusters)?;
        self.agreement.verify(dim)
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
        self.place(swarm);
        self.gather(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let p = &self.params;
        let law = [p.lambda * p.dt, self.agreement.sigma * p.dt.sqrt()].map(F::of);
        approach(swarm, law, p.noise, &mut self.xi, space, rng, |i| self.centres.row(self.cluster[i]));
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.agreement.next(&swarm.x, &swarm.fx);
        self.gather(swarm);
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.centres.row(self.best).to_vec()
    }

    fn solutions(&self, swarm: &Swarm<F>) -> Option<Solutions<F>> {
        let leaders = (0..self.centres.len()).filter_map(|j| Some((self.leader(j, &swarm.fx)?, j)));
        let mut leaders: Vec<(usize, usize)> = leaders.collect();
        leaders.sort_by(|a, b| swarm.fx[a.0].f64().total_cmp(&swarm.fx[b.0].f64()));
        // Each with its centre and its spread.
        let mut minima: Vec<(usize, f64, Found<F>)> = Vec::new();
        for (leader, j) in leaders {
            let (particles, spread) = self.spread(j);
            let apart = |k: usize| distance(self.centres.row(j), self.centres.row(k)).f64();
            match minima.iter_mut().find(|(k, its, _)| apart(*k) < spread + its) {
                Some((.., found)) => found.particles += particles,
                None => {
                    let x = self.seen.row(leader).to_vec();
                    minima.push((j, spread, Found { x, value: swarm.fx[leader], parts: Vec::new(), particles }));
                }
            }
        }
        Some(Solutions::minima(minima.into_iter().map(|(.., found)| found).collect()))
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.agreement.show(view);
        if !self.centres.is_empty() {
            view.matrices.push(("c", self.centres.rows()));
        }
    }
}
