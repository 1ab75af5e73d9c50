//! How near a set of points is to a front that is known.
//!
//! Papers: Zitzler, Thiele, Laumanns, Fonseca and Grunert da Fonseca, "Performance assessment of multiobjective optimizers: an
//! analysis and review" (IEEE TEC 2003; additive epsilon); Ishibuchi, Masuda, Tanigaki and Nojima, "Modified distance calculation in
//! generational distance and inverted generational distance" (EMO 2015; IGD+).

use swarmgrad_core::Rows;

/// By how much every point of the front must be made worse in each objective so that the set covers it: 0 for a set that holds the
/// front, infinite for no points.
pub fn additive_epsilon(points: Rows<'_, f64>, front: Rows<'_, f64>) -> f64 {
    let shift = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(s, t)| s - t).fold(f64::NEG_INFINITY, f64::max);
    let nearest = |wanted: &[f64]| points.iter().map(|point| shift(point, wanted)).fold(f64::INFINITY, f64::min);
    front.iter().map(nearest).fold(f64::NEG_INFINITY, f64::max)
}

/// IGD+: the mean over the front of the distance to the nearest point, in what that point is worse; infinite for no points.
pub fn inverted_generational_distance(points: Rows<'_, f64>, front: Rows<'_, f64>) -> f64 {
    let worse = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(s, t)| (s - t).max(0.0).powi(2)).sum::<f64>();
    let nearest = |wanted: &[f64]| points.iter().map(|point| worse(point, wanted)).fold(f64::INFINITY, f64::min);
    front.iter().map(|wanted| nearest(wanted).sqrt()).sum::<f64>() / front.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_to_a_front_are_those_of_the_hand() {
        let front = [0.0, 2.0, 1.0, 1.0, 2.0, 0.0];
        let front = Rows::new(2, &front);
        assert_eq!((additive_epsilon(front, front), inverted_generational_distance(front, front)), (0.0, 0.0));
        let found = [0.5, 2.5, 4.0, 1.0];
        let found = Rows::new(2, &found);
        // Of (0.5, 2.5) the three are 0.5, 1.5 and 2.5 away, of (4, 1) they are 4, 3 and 2.
        assert_eq!(additive_epsilon(found, front), 2.0);
        let wanted = (0.5f64.hypot(0.5) + 1.5 + 2f64.hypot(1.0)) / 3.0;
        assert!((inverted_generational_distance(found, front) - wanted).abs() < 1e-15);
        let none = Rows::new(2, &[]);
        assert_eq!(
            (additive_epsilon(none, front), inverted_generational_distance(none, front)),
            (f64::INFINITY, f64::INFINITY)
        );
    }
}
