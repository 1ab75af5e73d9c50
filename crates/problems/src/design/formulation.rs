//! What a design problem is: quantities, a cost, constraints, and the best known point.

use crate::entry::Entry;

/// A variable or the cost, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// What it is.
    pub name: &'static str,
    /// Its unit; empty for a number.
    pub unit: &'static str,
}

/// One constraint g(x) <= 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DesignLimit {
    /// What must not be exceeded.
    pub name: &'static str,
    /// What a violation is divided by before it is weighed: the limit, or 1 where g has none.
    pub scale: f64,
}

/// A constrained design problem.
#[derive(Debug)]
pub struct Design {
    /// Name, formula, source and bounds.
    pub entry: Entry,
    /// The variables in their order.
    pub variables: &'static [Quantity],
    /// What is minimised.
    pub cost: Quantity,
    /// The constraints in their order.
    pub constraints: &'static [DesignLimit],
    /// P: the weight of violations.
    pub penalty: f64,
    /// The best known feasible point.
    pub best_point: &'static [f64],
    /// Its cost.
    pub best_cost: f64,
    /// The cost as the literature prints it, and where.
    pub printed: (&'static str, &'static str),
    pub(super) objective: fn(&[f64]) -> f64,
    pub(crate) limits: fn(&[f64], &mut [f64]),
}

impl Design {
    /// f(x), whether x is feasible or not.
    pub fn objective(&self, x: &[f64]) -> f64 {
        (self.objective)(x)
    }

    /// g_j(x), which a feasible point has at most 0, in the units of the literature.
    ///
    /// ```
    /// let beam = swarmgrad_problems::design("welded_beam")?;
    /// let g = beam.limits(&[0.2, 3.5, 9.0, 0.2]);
    /// assert_eq!((g.len(), beam.constraints[0].name), (7, "shear stress"));
    /// assert!(g[0] > 0.0, "{} psi too much", g[0]);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn limits(&self, x: &[f64]) -> Vec<f64> {
        let mut g = vec![0.0; self.constraints.len()];
        (self.limits)(x, &mut g);
        g
    }

    /// f(x) + `weight` sum_j max(0, g_j(x)) / scale_j: the cost of a feasible point, more where a constraint is violated, NaN where one
    /// is not a number.
    pub fn penalised(&self, x: &[f64], weight: f64) -> f64 {
        let violation = |(g, constraint): (&f64, &DesignLimit)| if *g <= 0.0 { 0.0 } else { g / constraint.scale };
        let excess: f64 = self.limits(x).iter().zip(self.constraints).map(violation).sum();
        self.objective(x) + weight * excess
    }
}
