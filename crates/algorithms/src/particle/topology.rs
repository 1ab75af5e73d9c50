//! Who informs whom: the neighbourhood whose best memory attracts a particle.

use crate::parameters::choice;
use swarmgrad_core::{Real, better};

choice! {
    /// The neighbourhoods of the classical methods. Each particle belongs to its own.
    pub enum Topology {
        /// Everybody informs everybody.
        Global = "global",
        /// The particles before and after it in a circle.
        Ring = "ring",
        /// Left, right, above and below on a torus whose sides are the most nearly equal divisors of n.
        VonNeumann = "von_neumann",
    }
}

impl Topology {
    /// Writes for each particle the index of the best memory in its neighbourhood; the lowest index of equals.
    pub(crate) fn leaders<F: Real>(self, fy: &[F], leaders: &mut Vec<usize>) {
        let n = fy.len();
        let best = |candidates: &[usize]| {
            let mut candidates = candidates.iter().copied();
            let first = candidates.next().unwrap_or(0);
            candidates.fold(first, |best, i| {
                if better(fy[i], fy[best]) || (!better(fy[best], fy[i]) && i < best) { i } else { best }
            })
        };
        leaders.clear();
        match self {
            Topology::Global => {
                let leader = swarmgrad_core::best_index(fy).unwrap_or(0);
                leaders.resize(n, leader);
            }
            Topology::Ring => leaders.extend((0..n).map(|i| best(&[i, (i + n - 1) % n, (i + 1) % n]))),
            Topology::VonNeumann => {
                let cols = (1..=n.isqrt()).rev().find(|c| n.is_multiple_of(*c)).unwrap_or(1);
                let rows = n / cols;
                leaders.extend((0..n).map(|i| {
                    let (r, c) = (i / cols, i % cols);
                    let at = |r: usize, c: usize| (r % rows) * cols + c % cols;
                    best(&[i, at(r + rows - 1, c), at(r + 1, c), at(r, c + cols - 1), at(r, c + 1)])
                }));
            }
        }
    }
}
