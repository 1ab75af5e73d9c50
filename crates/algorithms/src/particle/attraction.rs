//! What the classical methods share: two pulls, towards the own memory and the neighbourhood's best one.

use super::sweep::{Scratch, Tile};
use super::{Pulls, Swarm, Topology, force};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, Space};

/// The neighbourhood, the kind of draws, the speed limit, and who leads whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attraction {
    pub(crate) topology: Topology,
    pub(crate) pulls: Pulls,
    pub(crate) velocity_limit: Option<f64>,
    pub(crate) leaders: Vec<usize>,
}

impl Attraction {
    /// Whether the speed limit of a state that was read back is one on this space.
    pub(crate) fn verify_settings<F: Real>(&self, space: &Space<F>) -> Result<()> {
        let is_limit = self.velocity_limit.is_none_or(|limit| limit > 0.0 && limit.is_finite());
        saved::holds("velocity_limit", is_limit, "must be above 0")?;
        super::pso::needs_widths(self.velocity_limit, space)
    }

    /// Whether a state that was read back fits to its swarm.
    pub(crate) fn verify<F: Real>(&self, swarm: &Swarm<F>) -> Result<()> {
        swarm.verify_travels()?;
        swarm.verify_remembers()?;
        saved::length("leaders", &self.leaders, swarm.len())?;
        saved::below("leaders", &self.leaders, swarm.len())
    }

    pub(crate) fn new(topology: Topology, pulls: Pulls, velocity_limit: Option<f64>) -> Self {
        Attraction { topology, pulls, velocity_limit, leaders: Vec::new() }
    }

    /// Finds the leaders after the memories have changed.
    pub(crate) fn lead<F: Real>(&mut self, swarm: &Swarm<F>) {
        self.topology.leaders(&swarm.fy, &mut self.leaders);
    }

    /// The memory that leads particle `i`.
    pub(crate) fn leader<'s, F: Real>(&self, y: &'s Matrix<F>, i: usize) -> &'s [F] {
        y.row(self.leaders[i])
    }

    /// Fills the buffers of a tile: `a` and `b` with the draws r1 and r2, and the leaders.
    pub(crate) fn prepare<F: Real, const K: usize>(
        &self,
        tile: &Tile<'_, F, K>,
        scratch: &mut Scratch<F>,
        [r1, r2]: &[Rng; 2],
        y: &Matrix<F>,
    ) {
        for (rng, out) in [(r1, &mut scratch.a), (r2, &mut scratch.b)] {
            match self.pulls {
                Pulls::PerCoordinate => rng.fill_uniform(tile.rows.clone(), tile.cols.clone(), &mut out[..tile.len()]),
                Pulls::PerParticle => {
                    let (rows, width) = (tile.rows.len(), tile.cols.len());
                    rng.fill_uniform(tile.rows.clone(), 0..1, &mut out[..rows]);
                    // From the last row on, so that no draw is overwritten before it was spread over its row.
                    for k in (0..rows).rev() {
                        let draw = out[k];
                        out[k * width..(k + 1) * width].fill(draw);
                    }
                }
            }
        }
        tile.gather(scratch, self.topology == Topology::Global, |row| self.leader(y, row));
    }

    /// Where a speed limit is set, the step stops at the velocities and this shortens them and moves the swarm.
    pub(crate) fn travel_within_limit<F: Real>(&self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let Some(limit) = self.velocity_limit else { return };
        let outside = rng.fork("outside");
        for (i, (x, v)) in swarm.x.iter_mut().zip(swarm.v.iter_mut()).enumerate() {
            force::limit_speed(v, F::of(limit), space);
            x.iter_mut().zip(v).for_each(|(x, v)| *x += *v);
            space.repair(x, 0, &mut outside.row(i));
        }
    }
}

/// The two streams of draws of the classical methods.
pub(crate) fn draws(rng: &Rng) -> [Rng; 2] {
    [rng.fork("r1"), rng.fork("r2")]
}
