//! A swarm for each block of a network's outputs: the gradient that a loss without one lends to backpropagation.
//!
//! A block is one output element, one sample or the whole batch. In each block a small swarm minimises the loss and finds
//! g; the gradient with respect to the outputs w is then kappa (w - g). The swarm (exponentially averaged momentum, form A)
//!
//! ```text
//!   M <- beta M + (1 - beta) v
//!   v <- M + c1 r1 (p - x) + c2 r2 (g - x)
//!   x <- x + v
//! ```
//!
//! starts with v = M = 0, takes strictly better positions only into p and g, and contains w as its first particle, so
//! loss(g) <= loss(w) whatever the loss; for a convex loss kappa (w - g) is then a descent direction for any kappa > 0.
//!
//! With [`Search::proximity`] tau the swarm minimises loss(z) + |z - w|^2 / (2 tau) and kappa = 1 / tau: exactly the
//! gradient of the loss' Moreau envelope.
//!
//! ```
//! use swarmgrad_algorithms::gradient::elements::{Found, Search, Swarms};
//! use swarmgrad_core::{Rng, Workers};
//!
//! let (outputs, targets) = ([0.9_f64, 0.2, 0.4], [1.0, 0.0, 0.0]);
//! let (mut swarms, mut found) = (Swarms::new(Search::default())?, Found::default());
//! let absolute = |output: f64, target: f64| (output - target).abs();
//! swarms.elements(&absolute, &outputs, &targets, &Workers::default(), &Rng::new(1), &mut found);
//! assert!(found.best.iter().zip(&targets).all(|(g, t)| (g - t).abs() < 1e-3));
//! let mut gradient = [0.0; 3];
//! found.gradient(&outputs, &mut gradient);
//! assert!(gradient[0] < 0.0 && gradient[1] > 0.0);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

mod batch;
mod lanes;
mod setting;

pub use setting::{BlockLoss, ElementLoss, Found, Kappa, Search, Start};

use lanes::{Each, LANES, Piece, Rowwise, Scratch};
use rayon::prelude::*;
use setting::Law;
use swarmgrad_core::{Real, Result, Rng, Workers};

/// Numbers moved for which a second thread is worth waking.
const PARALLEL: usize = 1 << 18;

/// The swarms of one search and the memory they work in: nothing is allocated after the first call of a shape.
#[derive(Debug)]
pub struct Swarms<F: Real> {
    search: Search,
    scratch: Vec<Scratch<F>>,
    batch: batch::Scratch<F>,
}

impl<F: Real> Swarms<F> {
    /// Swarms that search like this. Errors name the parameter, its value and the rule.
    pub fn new(search: Search) -> Result<Self> {
        search.check()?;
        Ok(Swarms { search, scratch: Vec::new(), batch: Default::default() })
    }

    /// The settings.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// A swarm for each output element. The draws are those of `rng`, so give it another iteration or fork for each batch.
    ///
    /// # Panics
    /// If there are not as many targets as outputs.
    pub fn elements<L: ElementLoss<F> + ?Sized>(
        &mut self,
        loss: &L,
        outputs: &[F],
        targets: &[F],
        workers: &Workers,
        rng: &Rng,
        found: &mut Found<F>,
    ) {
        assert_eq!(outputs.len(), targets.len(), "outputs and targets");
        self.groups(&Each(loss), 1, 1, outputs, targets, workers, &rng.fork("elements"), found);
    }

    /// A swarm for each sample, a row of `columns` outputs. A row of targets may be wider or narrower than that (a class
    /// index, say), except where the swarms start at the targets.
    ///
    /// # Panics
    /// If the outputs are not rows of `columns`, or the targets not as many rows.
    #[allow(clippy::too_many_arguments)]
    pub fn samples<L: BlockLoss<F> + ?Sized>(
        &mut self,
        loss: &L,
        columns: usize,
        outputs: &[F],
        targets: &[F],
        workers: &Workers,
        rng: &Rng,
        found: &mut Found<F>,
    ) {
        assert!(columns > 0 && outputs.len().is_multiple_of(columns), "{} outputs, {columns} columns", outputs.len());
        let rows = outputs.len() / columns;
        assert!(targets.len().is_multiple_of(rows.max(1)), "{} targets for {rows} samples", targets.len());
        let wide = targets.len() / rows.max(1);
        self.groups(&Rowwise(loss), columns, wide, outputs, targets, workers, &rng.fork("samples"), found);
    }

    /// One swarm for the whole batch: as many dimensions as outputs, far too many for a small swarm to search well.
    ///
    /// # Panics
    /// If the swarm starts at the targets and there are not as many of them as outputs.
    pub fn batch<L: BlockLoss<F> + ?Sized>(
        &mut self,
        loss: &L,
        outputs: &[F],
        targets: &[F],
        workers: &Workers,
        rng: &Rng,
        found: &mut Found<F>,
    ) {
        self.check_leak(outputs, targets);
        found.resize(outputs.len(), usize::from(!outputs.is_empty()), &self.search);
        if outputs.is_empty() {
            return;
        }
        let law = Law::new(&self.search);
        let rng = rng.fork("batch");
        let numbers = outputs.len() * self.search.particles;
        let scratch = &mut self.batch;
        if workers.threads() > 1 && numbers * self.search.iterations >= PARALLEL {
            workers.install(|| batch::search(&law, loss, outputs, targets, true, &rng, scratch, found));
        } else {
            batch::search(&law, loss, outputs, targets, false, &rng, scratch, found);
        }
    }

    fn check_leak(&self, outputs: &[F], targets: &[F]) {
        if matches!(self.search.start, Start::Target { .. }) {
            assert_eq!(outputs.len(), targets.len(), "outputs and targets, where the swarms start");
        }
    }

    /// Groups of [`LANES`] neighbouring blocks, in pieces for the threads.
    #[allow(clippy::too_many_arguments)]
    fn groups<L: lanes::Losses<F>>(
        &mut self,
        loss: &L,
        columns: usize,
        wide: usize,
        outputs: &[F],
        targets: &[F],
        workers: &Workers,
        rng: &Rng,
        found: &mut Found<F>,
    ) {
        self.check_leak(outputs, targets);
        let blocks = outputs.len() / columns;
        found.resize(outputs.len(), blocks, &self.search);
        if blocks == 0 {
            return;
        }
        let law = Law::new(&self.search);
        let groups = blocks.div_ceil(LANES);
        let work = outputs.len() * self.search.particles * self.search.iterations;
        let threads = if work >= PARALLEL { workers.threads() } else { 1 };
        let grain = if threads == 1 { groups } else { groups.div_ceil(4 * threads) };
        let pieces = groups.div_ceil(grain);
        if self.scratch.len() < pieces {
            self.scratch.resize_with(pieces, Scratch::default);
        }
        let run = |(k, ((((best, value), kappa), outputs), scratch)): (usize, (_, &mut Scratch<F>))| {
            let first = k * grain * LANES;
            let targets = &targets[first * wide..targets.len().min((first + grain * LANES) * wide)];
            Piece { group: k * grain, columns, wide, outputs, targets, best, value, kappa }
                .run(&law, loss, rng, scratch);
        };
        let size = grain * LANES;
        let found = (&mut found.best, &mut found.value, &mut found.kappa);
        if pieces == 1 {
            run((0, ((((&mut found.0[..], &mut found.1[..]), &mut found.2[..]), outputs), &mut self.scratch[0])));
        } else {
            let (best, value) = (found.0.par_chunks_mut(size * columns), found.1.par_chunks_mut(size));
            let all = best.zip(value).zip(found.2.par_chunks_mut(size)).zip(outputs.par_chunks(size * columns));
            let scratch = &mut self.scratch;
            workers.install(|| all.zip(scratch).enumerate().for_each(run));
        }
    }
}
