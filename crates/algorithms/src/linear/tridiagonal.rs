//! Eigenvalues and eigenvectors of a symmetric tridiagonal matrix with diagonal d and off-diagonal e. Eigenvectors are rows, padded with
//! zeros to whole vectors.
//!
//! Small matrices are brought to diagonal form by the implicit QL method (Bowdler, Martin, Reinsch & Wilkinson 1968): each rotation
//! works on two contiguous rows, while the next one is being computed. Large ones are divided (Cuppen 1981; the vectors as in Gu &
//! Eisenstat, "A divide-and-conquer algorithm for the symmetric tridiagonal eigenproblem", SIAM J. Matrix Anal. Appl. 16, 1995):
//!
//! ```text
//! T = diag(T1, T2) + rho v v',   T1 = Q1 D1 Q1', T2 = Q2 D2 Q2',   z = diag(Q1, Q2)' v
//! 0 = 1/rho + sum_j z_j^2 / (d_j - lambda),                        u_j = z_j / (d_j - lambda)
//! ```
//!
//! with v = 1 and a sign at the two places of the cut. No reduction runs in an order that depends on the instruction set.

use crate::linear::in_pairs;
use fearless_simd::{Simd, f64x8, prelude::*};
use fearless_simd_macros::simd;

/// Numbers in a vector.
pub(super) const LANES: usize = 8;

/// Rotations an eigenvalue may take; the method converges in about two.
const PATIENCE: usize = 60;

/// A square below has a reciprocal that may be infinite.
const TINY: f64 = 1e-280;

/// Matrices up to this size are not divided.
const LEAF: usize = 32;

/// Steps towards a root of the secular equation; five are usual.
const STEPS: usize = 100;

/// Rows and vectors of columns that a product computes at a time.
const TILE: usize = 4;

/// A pole that nothing comes near; its reciprocal is an ordinary number.
const FAR: f64 = 1e300;

/// Implicit QL with Wilkinson's shift on the tridiagonal matrix (d, e); each rotation turns two rows of vectors. Whether it converged.
#[simd]
pub(super) fn rotate<S: Simd>(simd: S, d: &mut [f64], e: &mut [f64], vectors: &mut [f64]) -> bool {
    let n = d.len();
    let wide = vectors.len() / n.max(1);
    for l in 0..n {
        for patience in 0.. {
            let negligible = |k: usize| e[k].abs() <= f64::EPSILON * (d[k].abs() + d[k + 1].abs());
            let Some(m) = (l..n).find(|&k| k + 1 == n || negligible(k)) else { break };
            if m == l {
                break;
            }
            if patience > PATIENCE {
                return false;
            }
            let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let length = (g * g + 1.0).sqrt();
            let mut chase = d[m] - d[l] + e[l] / (g + length.copysign(g));
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut split = false;
            for k in (l..m).rev() {
                let (f, b) = (sine * e[k], cosine * e[k]);
                let square = f * f + chase * chase;
                let length = square.sqrt();
                e[k + 1] = length;
                if length == 0.0 {
                    // The matrix falls into two before the bulge has reached row l.
                    d[k + 1] -= shift;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                // Root and quotient at the same time.
                let inverse = if square > TINY { length * (1.0 / square) } else { 1.0 / length };
                (sine, cosine) = (f * inverse, chase * inverse);
                let g = d[k + 1] - shift;
                let r = (d[k] - g) * sine + 2.0 * cosine * b;
                shift = sine * r;
                d[k + 1] = g + shift;
                chase = cosine * r - b;
                let (upper, lower) = vectors[k * wide..(k + 2) * wide].split_at_mut(wide);
                let (s, c) = (f64x8::splat(simd, sine), f64x8::splat(simd, cosine));
                for (u, v) in upper.chunks_exact_mut(LANES).zip(lower.chunks_exact_mut(LANES)) {
                    let (a, b) = (f64x8::from_slice(simd, u), f64x8::from_slice(simd, v));
                    (s * a + c * b).store_slice(v);
                    (c * a - s * b).store_slice(u);
                }
            }
            if !split {
                d[l] -= shift;
                e[l] = chase;
                e[m] = 0.0;
            }
        }
    }
    d.iter().all(|t| t.is_finite())
}

/// Room that dividing needs.
#[derive(Default)]
pub(super) struct Room {
    z: Vec<f64>,
    /// Whether a row is of the upper block, of the lower one, or of both.
    sides: Vec<Side>,
    /// Rows by their eigenvalues, and those of them that a merge changes.
    order: Vec<usize>,
    kept: Vec<usize>,
    /// Places of the kept rows by side.
    by_side: Vec<usize>,
    poles: Vec<f64>,
    squares: Vec<f64>,
    /// d_j - lambda of a root a row, and then the weights of its eigenvector.
    weights: Vec<f64>,
    products: Vec<f64>,
    values: Vec<f64>,
    /// Some columns of the kept rows; a leaf's vectors.
    strip: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Upper,
    Both,
    Lower,
}

/// The rows of `vectors`, which are 0 before, become the eigenvectors of (d, e), `d` the eigenvalues, in no particular order. Whether all
/// converged.
#[simd]
pub(super) fn divide<S: Simd>(simd: S, d: &mut [f64], e: &mut [f64], vectors: &mut [f64], room: &mut Room) -> bool {
    let wide = vectors.len() / d.len().max(1);
    block(simd, [0, d.len()], wide, d, e, vectors, room)
}

/// The same for rows and columns from `low` to `high`, a multiple of the lanes or the end.
fn block<S: Simd>(
    simd: S,
    [low, high]: [usize; 2],
    wide: usize,
    d: &mut [f64],
    e: &mut [f64],
    vectors: &mut [f64],
    room: &mut Room,
) -> bool {
    let n = high - low;
    if n <= LEAF {
        let leaf = &mut room.strip;
        let width = n.next_multiple_of(LANES);
        leaf.clear();
        leaf.resize(n * width, 0.0);
        (0..n).for_each(|j| leaf[j * width + j] = 1.0);
        let converged = rotate(simd, &mut d[low..high], &mut e[low..high], leaf);
        for (row, leaf) in vectors[low * wide..].chunks_exact_mut(wide).zip(leaf.chunks_exact(width)) {
            row[low..low + width].copy_from_slice(leaf);
        }
        return converged;
    }
    let middle = low + (n / 2).next_multiple_of(LANES);
    let cut = e[middle - 1];
    d[middle - 1] -= cut.abs();
    d[middle] -= cut.abs();
    block(simd, [low, middle], wide, d, e, vectors, room)
        && block(simd, [middle, high], wide, d, e, vectors, room)
        && merge(simd, [low, middle, high], cut, wide, d, vectors, room)
}

/// The eigenvectors of diag(T1, T2) + |cut| v v' from those of T1 and T2.
#[simd]
fn merge<S: Simd>(
    simd: S,
    [low, middle, high]: [usize; 3],
    cut: f64,
    wide: usize,
    d: &mut [f64],
    vectors: &mut [f64],
    room: &mut Room,
) -> bool {
    let rho = cut.abs();
    let Room { z, sides, order, kept, by_side, poles, squares, weights, products, values, strip } = room;
    z.clear();
    z.extend((low..middle).map(|i| vectors[i * wide + middle - 1]));
    z.extend((middle..high).map(|i| vectors[i * wide + middle].copysign(vectors[i * wide + middle] * cut)));
    sides.clear();
    sides.extend((low..high).map(|i| if i < middle { Side::Upper } else { Side::Lower }));
    order.clear();
    order.extend(low..high);
    order.sort_unstable_by(|&i, &j| d[i].total_cmp(&d[j]).then(i.cmp(&j)));
    // What changes an eigenvalue by rounding alone is left as it is: vectors that do not see the cut, and of two with one
    // eigenvalue the combination that does not.
    let size = d[low..high].iter().fold(rho, |size, t| size.max(t.abs()));
    let tolerance = 8.0 * f64::EPSILON * size;
    kept.clear();
    let mut last: Option<usize> = None;
    for &j in &*order {
        if rho * z[j - low].abs() <= tolerance {
            continue;
        }
        if let Some(p) = last {
            let (a, b) = (z[p - low], z[j - low]);
            let both = (a * a + b * b).sqrt();
            let (c, s) = (b / both, a / both);
            if ((d[j] - d[p]) * c * s).abs() <= tolerance {
                (z[p - low], z[j - low]) = (0.0, both);
                let (upper, lower) = vectors.split_at_mut(p.max(j) * wide);
                let (first, second) = (&mut upper[p.min(j) * wide..], &mut lower[..wide]);
                let (of_p, of_j) = if p < j { (first, second) } else { (second, first) };
                for (p, j) in of_p[low..].iter_mut().zip(&mut of_j[low..]).take(high - low) {
                    (*p, *j) = (c * *p - s * *j, s * *p + c * *j);
                }
                (d[p], d[j]) = (c * c * d[p] + s * s * d[j], s * s * d[p] + c * c * d[j]);
                if sides[p - low] != sides[j - low] {
                    (sides[p - low], sides[j - low]) = (Side::Both, Side::Both);
                }
            } else {
                kept.push(p);
            }
        }
        last = Some(j);
    }
    kept.extend(last);
    let k = kept.len();
    if k < 2 {
        kept.iter().for_each(|&i| d[i] += rho * z[i - low] * z[i - low]);
        return true;
    }
    // Past the last one are poles that nothing comes near, of weight 0.
    let width = k.next_multiple_of(LANES);
    poles.clear();
    poles.extend(kept.iter().map(|&i| d[i]));
    poles.resize(width, FAR);
    squares.clear();
    squares.extend(kept.iter().map(|&i| z[i - low] * z[i - low]));
    squares.resize(width, 0.0);
    weights.clear();
    weights.resize(k * width, 0.0);
    values.clear();
    values.extend(
        weights.chunks_exact_mut(width).enumerate().map(|(i, gaps)| root(simd, poles, squares, [i, k], rho, gaps)),
    );
    // The z of which these roots are the exact ones, by Loewner's formula: vectors made of it are orthogonal to rounding.
    products.clear();
    products.resize(width, 1.0);
    for (r, gaps) in weights.chunks_exact(width).enumerate() {
        let pole = poles[r];
        let diagonal = products[r] * gaps[r].abs();
        for ((product, gap), p) in products.iter_mut().zip(gaps).zip(&*poles) {
            *product *= (gap / (p - pole)).abs();
        }
        products[r] = diagonal;
    }
    for (product, &i) in products.iter_mut().zip(&*kept) {
        *product = product.sqrt().copysign(z[i - low]);
    }
    // Kept rows of one side stand together: the others are 0 in the columns of that side.
    by_side.clear();
    by_side.extend(0..k);
    by_side.sort_by_key(|&at| sides[kept[at] - low]);
    let of_side = |side: Side| by_side.iter().filter(|&&at| sides[kept[at] - low] == side).count();
    let (upper, lower) = (k - of_side(Side::Lower), of_side(Side::Upper));
    for gaps in weights.chunks_exact_mut(width) {
        gaps.iter_mut().zip(&*products).take(k).for_each(|(gap, z)| *gap = z / *gap);
        let square: f64 = gaps[..k].iter().map(|u| u * u).sum();
        let scale = 1.0 / square.sqrt();
        squares.iter_mut().zip(&*by_side).for_each(|(to, &from)| *to = scale * gaps[from]);
        gaps[..k].copy_from_slice(&squares[..k]);
    }
    for (rows, columns) in [(0..upper, [low, middle]), (lower..k, [middle, high.next_multiple_of(LANES)])] {
        let mut at = columns[0];
        while at < columns[1] {
            let many = (columns[1] - at).min(2 * LANES);
            strip.clear();
            for &place in &by_side[rows.clone()] {
                strip.extend(&vectors[kept[place] * wide + at..][..many]);
            }
            for (group, weights) in kept.chunks(TILE).zip(weights.chunks(TILE * width)) {
                let weights = &weights[rows.start..];
                match (group.len(), many / LANES) {
                    (TILE, 2) => product::<S, TILE, 2>(simd, strip, weights, width, group, wide, at, vectors),
                    (TILE, _) => product::<S, TILE, 1>(simd, strip, weights, width, group, wide, at, vectors),
                    (_, tiles) => {
                        for (row, weights) in group.chunks(1).zip(weights.chunks(width)) {
                            match tiles {
                                2 => product::<S, 1, 2>(simd, strip, weights, width, row, wide, at, vectors),
                                _ => product::<S, 1, 1>(simd, strip, weights, width, row, wide, at, vectors),
                            }
                        }
                    }
                }
            }
            at += many;
        }
    }
    kept.iter().zip(&*values).for_each(|(&i, &value)| d[i] = value);
    values.iter().all(|t| t.is_finite())
}

/// Rows `targets` of `vectors`, from column `at` on, become the products of the weights with the rows of the strip.
#[expect(clippy::too_many_arguments, reason = "a kernel: slices and their shapes")]
#[inline(always)]
fn product<S: Simd, const R: usize, const W: usize>(
    simd: S,
    strip: &[f64],
    weights: &[f64],
    stride: usize,
    targets: &[usize],
    wide: usize,
    at: usize,
    vectors: &mut [f64],
) {
    let count = strip.len() / (W * LANES);
    let weights: [&[f64]; R] = std::array::from_fn(|r| &weights[r * stride..][..count]);
    let mut sums = [[f64x8::splat(simd, 0.0); W]; R];
    for (t, row) in strip.chunks_exact(W * LANES).enumerate() {
        let row: [f64x8<S>; W] = std::array::from_fn(|w| f64x8::from_slice(simd, &row[w * LANES..(w + 1) * LANES]));
        for r in 0..R {
            let weight = f64x8::splat(simd, weights[r][t]);
            for w in 0..W {
                sums[r][w] += weight * row[w];
            }
        }
    }
    for (sums, target) in sums.iter().zip(targets) {
        let out = &mut vectors[target * wide + at..][..W * LANES];
        for (sum, out) in sums.iter().zip(out.chunks_exact_mut(LANES)) {
            sum.store_slice(out);
        }
    }
}

/// Root i of k of the secular equation 0 = 1/rho + sum_j z_j^2 / (d_j - lambda), between pole i and the next one; writes d_j - lambda. A
/// root is sought from the pole that it is nearer to, so that its distance to that one has all its digits.
#[inline(always)]
fn root<S: Simd>(simd: S, poles: &[f64], squares: &[f64], [i, k]: [usize; 2], rho: f64, gaps: &mut [f64]) -> f64 {
    let inverse = 1.0 / rho;
    let (origin, mut low, mut high, mut step);
    if i + 1 < k {
        let half = 0.5 * (poles[i + 1] - poles[i]);
        let [below, above, ..] = secular(simd, poles, squares, poles[i], half);
        let middle = inverse + below + above;
        // What the poles on both sides leave, taken as constant: the beginning.
        let (here, next) = (squares[i], squares[i + 1]);
        let rest = middle + here / half - next / half;
        let gap = 2.0 * half;
        if middle >= 0.0 {
            (origin, low, high) = (i, 0.0, half);
            let (a, b) = (rest * gap + here + next, here * gap);
            let size = (a * a - 4.0 * b * rest).abs().sqrt();
            step = if a > 0.0 { 2.0 * b / (a + size) } else { (a - size) / (2.0 * rest) };
        } else {
            (origin, low, high) = (i + 1, -half, 0.0);
            let (a, b) = (here + next - rest * gap, next * gap);
            let size = (a * a + 4.0 * b * rest).abs().sqrt();
            step = if a < 0.0 { 2.0 * b / (a - size) } else { -(a + size) / (2.0 * rest) };
        }
    } else {
        (origin, low, high) = (i, 0.0, rho * squares[..k].iter().sum::<f64>());
        step = rho * squares[i];
    }
    let mut at = 0.0;
    for _ in 0..STEPS {
        let next = at + step;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if next == at {
            break;
        }
        at = next;
        let [below, above, slope_below, slope_above] = secular(simd, poles, squares, poles[origin], at);
        let (f, slope) = (inverse + below + above, slope_below + slope_above);
        let noise = 8.0 * (above - below) + 2.0 * inverse + at.abs() * slope;
        if f.is_nan() || f.abs() <= f64::EPSILON * noise {
            break;
        }
        *if f < 0.0 { &mut low } else { &mut high } = at;
        step = if i + 1 < k {
            // The middle way (Li 1994): both sides by one pole each, with their slopes.
            let (one, two) = ((poles[i] - poles[origin]) - at, (poles[i + 1] - poles[origin]) - at);
            let c = f - one * slope_below - two * slope_above;
            let (a, b) = ((one + two) * f - one * two * slope, one * two * f);
            let size = (a * a - 4.0 * b * c).abs().sqrt();
            if a <= 0.0 { (a - size) / (2.0 * c) } else { 2.0 * b / (a + size) }
        } else {
            // One pole with value and slope.
            let strength = slope * at * at;
            strength / (f + slope * at) - at
        };
        if step.is_nan() || step * f >= 0.0 {
            step = -f / slope;
        }
    }
    let start = poles[origin];
    gaps.iter_mut().zip(poles).for_each(|(gap, pole)| *gap = (pole - start) - at);
    start + at
}

/// The sums of the secular equation at `start + at` over the poles below and above, and their slopes.
#[inline(always)]
fn secular<S: Simd>(simd: S, poles: &[f64], squares: &[f64], start: f64, at: f64) -> [f64; 4] {
    let zero = f64x8::splat(simd, 0.0);
    let (start, at, one) = (f64x8::splat(simd, start), f64x8::splat(simd, at), f64x8::splat(simd, 1.0));
    let mut sums = [zero; 4];
    for (poles, squares) in poles.chunks_exact(LANES).zip(squares.chunks_exact(LANES)) {
        let inverse = one / ((f64x8::from_slice(simd, poles) - start) - at);
        let term = f64x8::from_slice(simd, squares) * inverse;
        // With the sign of the term.
        let slope = term * inverse.abs();
        sums[0] += term.min(zero);
        sums[1] += term.max(zero);
        sums[2] -= slope.min(zero);
        sums[3] += slope.max(zero);
    }
    sums.map(sum_of)
}

/// The sum of a vector's numbers, in pairs.
#[inline(always)]
pub(super) fn sum_of<S: Simd>(sum: f64x8<S>) -> f64 {
    let mut lanes = [0.0; LANES];
    sum.store_slice(&mut lanes);
    in_pairs(&lanes)
}
