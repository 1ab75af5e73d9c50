//! How a typed point is a point of a box. Nothing else knows.
//!
//! ```text
//! real     itself
//! log      its logarithm
//! whole    the number i of its step, in [i - 1/2, i + 1/2]
//! ordered  as whole; so is a choice of two, and a flag
//! choice   of K words: K numbers from 0 to 1, whose largest wins, of equals the first
//! fixed    nothing
//! simplex  K numbers u from 0 to 1, whose shares u_k / sum u are the K variables
//! sorted   K + 1 numbers from 0 to 1: the widths of the gaps before, between and behind the K variables are their shares
//! ```
//!
//! Shares and gaps reach every point of their sets, borders too, and no point outside; what is lost is that multiples of u mean the
//! same.

use crate::math::{exp, ln};
use crate::{Error, Real, Result, Space, Typed, Variable, VariableKind};
use std::ops::Range;

/// What a variable is to a method that moves in the box; one that is fixed is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Part {
    /// The coordinate of a real or logarithmic variable.
    Continuous(usize),
    /// The coordinate of one whose values 0, 1, .. stand in order: [k - 1/2, k + 1/2] means k.
    Steps {
        /// The coordinate.
        at: usize,
        /// How many values there are.
        count: u64,
    },
    /// The coordinates from .. to of a choice without an order; the largest of them wins.
    Choice {
        /// The first.
        from: usize,
        /// The one after the last.
        to: usize,
    },
}

/// Whether its coordinates may be changed by as little as one likes.
fn is_continuous(kind: &VariableKind) -> bool {
    use VariableKind::{Log, Real, Simplex, Sorted};
    matches!(kind, Real { .. } | Log { .. } | Simplex { .. } | Sorted { .. })
}

/// How many coordinates a variable takes.
fn width(variable: &Variable) -> usize {
    match variable.kind() {
        VariableKind::Fixed(_) => 0,
        VariableKind::Choice { of, ordered: false } if of.len() > 2 => of.len(),
        // The last has the gap behind it too.
        VariableKind::Sorted { of, index, .. } if index + 1 == *of => 2,
        _ => 1,
    }
}

/// The coordinates of all numbers that a variable is one of, `from` being its own first.
fn group<F>(x: &[F], from: usize, index: usize, count: usize) -> &[F] {
    &x[from - index..from - index + count]
}

/// The share of some coordinates in all of a group; of equal parts where there is nothing to share.
fn share<F: Real>(u: &[F], some: Range<usize>) -> f64 {
    // Of NaN nothing.
    let sum = |u: &[F]| u.iter().map(|u| u.f64().max(0.0)).sum::<f64>();
    let (all, parts) = (sum(u), some.len() as f64 / u.len() as f64);
    if all > 0.0 { sum(&u[some]) / all } else { parts }
}

/// The bounds of each of its coordinates.
fn bounds(variable: &Variable) -> (f64, f64) {
    match variable.kind() {
        VariableKind::Real { lower, upper } => (*lower, *upper),
        VariableKind::Log { lower, upper } => (ln(*lower), ln(*upper)),
        VariableKind::Choice { of, ordered: false } if of.len() > 2 => (0.0, 1.0),
        VariableKind::Simplex { .. } | VariableKind::Sorted { .. } => (0.0, 1.0),
        _ => (-0.5, variable.values().unwrap_or(1) as f64 - 0.5),
    }
}

/// What else the numbers of a group have in common.
fn bounds_of_group(variable: &Variable) -> Option<[u64; 2]> {
    match variable.kind() {
        VariableKind::Sorted { lower, upper, .. } => Some([lower.to_bits(), upper.to_bits()]),
        _ => None,
    }
}

/// Which of `count` values a coordinate means.
fn place<F: Real>(u: F, count: u64) -> u64 {
    // Of NaN the first.
    let place = (u.f64() + 0.5).floor().max(0.0);
    (place as u64).min(count.saturating_sub(1))
}

/// Which of K coordinates is the largest.
fn winner<F: Real>(x: &[F]) -> usize {
    (1..x.len()).fold(0, |best, k| if x[k] > x[best] || x[best].is_nan() && !x[k].is_nan() { k } else { best })
}

/// The value of a variable whose coordinates are `from..to` of a point.
fn value<F: Real>((variable, from, to): (&Variable, usize, usize), point: &[F]) -> Typed {
    let x = &point[from..to];
    let word = |of: &[String], k: usize| Typed::Word(of[k.min(of.len() - 1)].clone());
    let nth = || place(x[0], variable.values().unwrap_or(1));
    match variable.kind() {
        VariableKind::Real { .. } => Typed::Number(x[0].f64()),
        // The ends are the bounds themselves.
        VariableKind::Log { lower, upper } => Typed::Number(exp(x[0].f64()).max(*lower).min(*upper)),
        VariableKind::Whole { lower, step, .. } => Typed::Whole(lower + (nth() * step) as i64),
        VariableKind::Choice { of, ordered: false } if of.len() > 2 => word(of, winner(x)),
        VariableKind::Choice { of, .. } => word(of, nth() as usize),
        VariableKind::Flag => Typed::Flag(nth() == 1),
        VariableKind::Fixed(value) => value.clone(),
        VariableKind::Simplex { of, index } => {
            let u = group(point, from, *index, *of);
            Typed::Number(share(u, *index..index + 1))
        }
        VariableKind::Sorted { lower, upper, of, index } => {
            let share = share(group(point, from, *index, of + 1), 0..index + 1);
            Typed::Number((lower + (upper - lower) * share).min(*upper))
        }
    }
}

/// The coordinates of shares: as many of them about a half as there may be, none above 1.
fn spread<F: Real>(shares: &[f64], out: &mut Vec<F>) {
    let largest = shares.iter().fold(0.0, |most: f64, &w| most.max(w));
    let factor = (0.5 * shares.len() as f64).min(1.0 / largest);
    out.extend(shares.iter().map(|w| F::of(w * factor)));
}

/// How far a sum of shares may be from 1.
const NEAR: f64 = 1e-6;

/// The coordinates of the values of all numbers of a group; none where they do not have them.
fn coordinates_of_group<F: Real>(first: &Variable, values: &[Typed], out: &mut Vec<F>) -> Option<()> {
    let number = |value: &Typed| match value {
        Typed::Number(t) => Some(*t),
        Typed::Whole(k) => Some(*k as f64),
        Typed::Word(_) | Typed::Flag(_) => None,
    };
    let values: Vec<f64> = values.iter().map(number).collect::<Option<_>>()?;
    match first.kind() {
        VariableKind::Simplex { .. } => {
            let sum: f64 = values.iter().sum();
            // False for NaN.
            if !(values.iter().all(|w| *w >= 0.0) && (sum - 1.0).abs() <= NEAR) {
                return None;
            }
            spread(&values, out);
        }
        VariableKind::Sorted { lower, upper, .. } => {
            let ends = values.iter().copied().chain([*upper]);
            let gaps: Vec<f64> =
                [*lower].into_iter().chain(values.iter().copied()).zip(ends).map(|(a, b)| b - a).collect();
            if !gaps.iter().all(|gap| *gap >= 0.0) {
                return None;
            }
            spread(&gaps.iter().map(|gap| gap / (upper - lower)).collect::<Vec<_>>(), out);
        }
        _ => return None,
    }
    Some(())
}

/// The coordinates of a value of a variable that stands alone; none where the variable does not have it.
fn coordinates<F: Real>(variable: &Variable, value: &Typed, out: &mut Vec<F>) -> Option<()> {
    let number = match value {
        Typed::Number(t) => Some(*t),
        Typed::Whole(k) => Some(*k as f64),
        Typed::Word(_) | Typed::Flag(_) => None,
    };
    match variable.kind() {
        VariableKind::Real { lower, upper } => {
            out.push(F::of(number.filter(|t| lower <= t && t <= upper && t.is_finite())?));
        }
        VariableKind::Log { lower, upper } => {
            out.push(F::of(ln(number.filter(|t| lower <= t && t <= upper)?)));
        }
        VariableKind::Whole { lower, upper, step } => {
            let t = number.filter(|t| t.fract() == 0.0 && *lower as f64 <= *t && *t <= *upper as f64)? as i64;
            let above = t.abs_diff(*lower);
            out.push(F::of((above.is_multiple_of(*step)).then_some(above / step)? as f64));
        }
        VariableKind::Choice { of, ordered } => {
            let Typed::Word(word) = value else { return None };
            let k = of.iter().position(|known| known == word)?;
            match *ordered || of.len() == 2 {
                true => out.push(F::of(k as f64)),
                false => out.extend((0..of.len()).map(|i| if i == k { F::one() } else { F::zero() })),
            }
        }
        VariableKind::Flag => {
            let flag = match value {
                Typed::Flag(flag) => *flag,
                _ => number.filter(|t| *t == 0.0 || *t == 1.0)? == 1.0,
            };
            out.push(F::of(f64::from(u8::from(flag))));
        }
        VariableKind::Fixed(fixed) => return (value == fixed).then_some(()),
        VariableKind::Simplex { .. } | VariableKind::Sorted { .. } => return None,
    }
    Some(())
}

impl<F: Real> Space<F> {
    /// The space of typed variables. A method moves in the box that this is; [`Space::decode`] says what its points mean.
    ///
    /// ```
    /// use swarmgrad_core::{Space, Typed, Variable};
    /// let texts = ["lr=log:1e-5:1", "layers=int:1:8", "act=choice:relu,tanh,gelu", "seed=3"];
    /// let variables = texts.iter().map(|text| Variable::parse(text)).collect::<Result<_, _>>()?;
    /// let space: Space = Space::of(variables)?;
    /// assert_eq!(space.dim(), 5);
    /// let point = space.decode(&[0.0, 3.2, 0.1, 0.9, 0.4]);
    /// assert_eq!(point[0], Typed::Number(1.0));
    /// assert_eq!(point[1..], [Typed::Whole(4), Typed::Word("tanh".into()), Typed::Whole(3)]);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Two variables of one name; none that is not fixed; numbers of a simplex or in order that do not stand together.
    pub fn of(variables: Vec<Variable>) -> Result<Self> {
        for (i, variable) in variables.iter().enumerate() {
            if variables[..i].iter().any(|other| other.name() == variable.name()) {
                return Err(Error::parameter("variable", variable.name(), "must be the name of one variable only"));
            }
        }
        for (i, variable) in variables.iter().enumerate() {
            let Some((name, index, of)) = variable.group() else { continue };
            let first = i.checked_sub(index).map(|first| &variables[first..]);
            let all = first.and_then(|all| all.get(..of));
            let belongs = |(k, other): (usize, &Variable)| {
                other.group() == Some((name, k, of)) && bounds_of_group(other) == bounds_of_group(variable)
            };
            if !all.is_some_and(|all| all.iter().enumerate().all(belongs)) {
                let rule = format!("the {of} numbers {name} must stand together, in their order");
                return Err(Error::parameter("variable", variable.name(), rule));
            }
        }
        if variables.iter().all(|variable| width(variable) == 0) {
            return Err(Error::parameter("variables", variables.len(), "one of them at least must not be fixed"));
        }
        let ends = variables.iter().flat_map(|variable| std::iter::repeat_n(bounds(variable), width(variable)));
        let (lower, upper) = ends.map(|(lo, hi)| (F::of(lo), F::of(hi))).unzip();
        Ok(Space::new(lower, upper)?.with_variables(variables))
    }

    /// What a point of the box means: a value for each variable; numbers where the variables have no types; nothing where there is
    /// no point.
    pub fn decode(&self, x: &[F]) -> Vec<Typed> {
        if self.variables().is_empty() || x.is_empty() {
            return x.iter().map(|t| Typed::Number(t.f64())).collect();
        }
        self.typed().map(|own| value(own, x)).collect()
    }

    /// The point of the box of these values.
    ///
    /// # Errors
    /// Another number of values; one that its variable does not have.
    pub fn encode(&self, values: &[Typed]) -> Result<Vec<F>> {
        let variables = self.variables();
        if values.len() != variables.len() {
            return Err(Error::shape("point", values.len(), variables.len()));
        }
        let mut out = Vec::with_capacity(self.dim());
        for (i, (variable, value)) in variables.iter().zip(values).enumerate() {
            let rule = || Error::parameter(variable.name(), value, format!("must be a value of {variable}"));
            match variable.group() {
                None => coordinates(variable, value, &mut out).ok_or_else(rule)?,
                Some((name, 0, of)) => {
                    let all = &values[i..i + of];
                    coordinates_of_group(variable, all, &mut out).ok_or_else(|| {
                        let text = all.iter().map(Typed::to_string).collect::<Vec<_>>().join(", ");
                        let rule = match variable.kind() {
                            VariableKind::Sorted { lower, upper, .. } => {
                                format!("must be {of} numbers from {lower} to {upper}, none less than the one before")
                            }
                            _ => format!("must be {of} numbers of which none is below 0, with the sum 1"),
                        };
                        Error::parameter(name, text, rule)
                    })?;
                }
                Some(_) => {}
            }
        }
        Ok(out)
    }

    /// The values of a point as numbers: a whole number is itself, a flag 0 or 1, a word its place in the list of its variable.
    pub fn numbers(&self, x: &[F]) -> Vec<F> {
        let number = |(variable, from, to): (&Variable, usize, usize)| match value((variable, from, to), x) {
            Typed::Number(t) => F::of(t),
            Typed::Whole(k) => F::of(k as f64),
            Typed::Flag(flag) => F::of(f64::from(u8::from(flag))),
            Typed::Word(_) => match variable.kind() {
                VariableKind::Choice { of, ordered: false } if of.len() > 2 => F::of(winner(&x[from..to]) as f64),
                VariableKind::Choice { of, .. } => F::of(place(x[from], of.len() as u64) as f64),
                _ => F::zero(),
            },
        };
        let plain = self.variables().is_empty() || x.is_empty();
        if plain { x.to_vec() } else { self.typed().map(number).collect() }
    }

    /// Moves a point to the middle of all points that mean the same.
    pub fn centre(&self, x: &mut [F]) {
        for (variable, from, to) in self.typed() {
            match variable.kind() {
                VariableKind::Fixed(_) => {}
                kind if is_continuous(kind) => {}
                VariableKind::Choice { of, ordered: false } if of.len() > 2 => {
                    let k = winner(&x[from..to]);
                    x[from..to].fill(F::zero());
                    x[from + k] = F::one();
                }
                _ => x[from] = F::of(place(x[from], variable.values().unwrap_or(1)) as f64),
            }
        }
    }

    /// What the variables are to a method.
    ///
    /// ```
    /// use swarmgrad_core::{Part, Space, Variable};
    /// let texts = ["lr=log:1e-5:1", "seed=3", "layers=int:1:8", "act=choice:relu,tanh,gelu"];
    /// let variables = texts.iter().map(|text| Variable::parse(text)).collect::<Result<_, _>>()?;
    /// let parts: Vec<Part> = Space::<f64>::of(variables)?.parts().collect();
    /// assert_eq!(parts, [Part::Continuous(0), Part::Steps { at: 1, count: 8 }, Part::Choice { from: 2, to: 5 }]);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let plain = if self.variables().is_empty() { self.dim() } else { 0 };
        (0..plain).map(Part::Continuous).chain(self.typed().filter(|(_, from, to)| from < to).flat_map(
            |(variable, from, to)| {
                let (continuous, discrete) = match variable.kind() {
                    kind if is_continuous(kind) => (from..to, None),
                    _ if to - from > 1 => (0..0, Some(Part::Choice { from, to })),
                    _ => (0..0, Some(Part::Steps { at: from, count: variable.values().unwrap_or(1) })),
                };
                continuous.map(Part::Continuous).chain(discrete)
            },
        ))
    }

    /// The variable that coordinate `j` is of; none where the variables have no types.
    pub fn variable_of(&self, j: usize) -> Option<&Variable> {
        self.typed().find(|(_, from, to)| (*from..*to).contains(&j)).map(|(variable, ..)| variable)
    }

    /// Whether coordinate `j` may be changed by as little as one likes.
    pub fn is_continuous(&self, j: usize) -> bool {
        self.variable_of(j).is_none_or(|variable| is_continuous(variable.kind()))
    }

    /// How many points have different meanings; none where there are more than can be counted.
    pub fn count(&self) -> Option<u64> {
        if self.variables().is_empty() {
            return None;
        }
        self.variables().iter().try_fold(1u64, |count, variable| count.checked_mul(variable.values()?))
    }

    /// The variables, each with the coordinates from .. to of its own.
    fn typed(&self) -> impl Iterator<Item = (&Variable, usize, usize)> {
        self.variables().iter().scan(0, |at, variable| {
            let from = *at;
            *at += width(variable);
            Some((variable, from, *at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn space() -> Space {
        let texts = [
            "x=-1:2",
            "lr=log:1e-5:1",
            "n=int:-3:9:3",
            "act=choice:relu,tanh,gelu",
            "two=choice:a,b",
            "size=ordered:s,m,l",
            "bias=flag",
            "seed=3",
        ];
        Space::of(texts.iter().map(|text| Variable::parse(text).unwrap()).collect()).unwrap()
    }

    #[test]
    fn every_point_means_something_and_its_meaning_leads_back() {
        let space = space();
        assert_eq!((space.dim(), space.count()), (9, None));
        let rng = Rng::new(4);
        for i in 0..500 {
            let mut x = vec![0.0; 9];
            rng.row(i).fill_uniform(&mut x);
            x.iter_mut().enumerate().for_each(|(j, t)| *t = space.lower()[j] + *t * space.width(j));
            let values = space.decode(&x);
            let back = space.encode(&values).unwrap();
            assert!(space.contains(&back));
            assert_eq!(space.decode(&back).len(), 8);
            let mut centred = x.clone();
            space.centre(&mut centred);
            assert_eq!(space.decode(&centred), values);
            // Logarithms are rounded on the way, nothing else is.
            for (j, (a, b)) in centred.iter().zip(&back).enumerate() {
                assert!(if j == 1 { (a - b).abs() < 1e-14 } else { a == b }, "{j}: {a} {b}");
            }
            assert_eq!(space.numbers(&x).len(), 8);
        }
    }

    #[test]
    fn all_values_are_equally_wide_and_the_ends_are_reached() {
        let space = space();
        let mut x = vec![0.0; 9];
        for (u, wanted) in [(-0.5, -3), (0.49, -3), (0.5, 0), (4.49, 9), (4.5, 9)] {
            x[2] = u;
            assert_eq!(space.decode(&x)[2], Typed::Whole(wanted), "{u}");
        }
        (x[1], x[7], x[8]) = (space.lower()[1], 2.5, 1.5);
        let point = space.decode(&x);
        assert_eq!(
            (&point[1], &point[5], &point[6]),
            (&Typed::Number(1e-5), &Typed::Word("l".into()), &Typed::Flag(true))
        );
        assert_eq!(space.decode(&[f64::NAN; 9])[2..4], [Typed::Whole(-3), Typed::Word("relu".into())]);
        let continuous: Vec<bool> = (0..9).map(|j| space.is_continuous(j)).collect();
        assert_eq!(continuous, [true, true, false, false, false, false, false, false, false]);
    }

    #[test]
    fn grids_are_counted_and_nonsense_is_refused() {
        let of = |texts: &[&str]| Space::<f64>::of(texts.iter().map(|t| Variable::parse(t).unwrap()).collect());
        assert_eq!(of(&["a=int:1:8", "b=flag", "c=choice:x,y,z", "d=7"]).unwrap().count(), Some(48));
        assert_eq!(of(&["a=int:0:9000000000000000", "b=int:0:9000000000000000"]).unwrap().count(), None);
        assert!(of(&["a=1", "b=x"]).unwrap_err().to_string().contains("must not be fixed"));
        assert!(of(&["a=flag", "a=1:2"]).unwrap_err().to_string().contains("one variable only"));
        let space = of(&["a=int:0:10:5", "b=choice:x,y"]).unwrap();
        let error = |values: [Typed; 2]| space.encode(&values).unwrap_err().to_string();
        let word = |word: &str| Typed::Word(word.into());
        assert_eq!(error([Typed::Whole(3), word("x")]), "a = 3: must be a value of a=int:0:10:5");
        assert_eq!(error([Typed::Whole(5), word("z")]), "b = z: must be a value of b=choice:x,y");
        assert_eq!(space.encode(&[Typed::Number(10.0), word("y")]).unwrap(), [2.0, 1.0]);
        assert!(space.encode(&[Typed::Whole(0)]).is_err());
    }

    #[test]
    fn shares_and_order_cannot_be_left() {
        let texts = ["a=-1:1", "w=simplex:3", "n=int:1:3", "t=sorted:-2:6:4", "s=simplex:2"];
        let variables = texts.iter().flat_map(|text| Variable::read(text).unwrap()).collect();
        let space: Space = Space::of(variables).unwrap();
        // One, three, one, four with the gap behind them, two.
        assert_eq!((space.dim(), space.variables().len(), space.count()), (12, 11, None));
        let parts: Vec<Part> = space.parts().collect();
        assert_eq!(parts.len(), 12);
        assert_eq!(
            (parts[3], parts[4], parts[9]),
            (Part::Continuous(3), Part::Steps { at: 4, count: 3 }, Part::Continuous(9))
        );
        assert!(space.is_continuous(9) && !space.is_continuous(4));
        let numbers = |x: &[f64]| space.numbers(x);
        let rng = Rng::new(8);
        for i in 0..500 {
            let mut x = vec![0.0_f64; 12];
            rng.row(i).fill_uniform(&mut x);
            // Corners, faces and NaN too.
            if i % 3 == 0 {
                x.iter_mut().for_each(|u| *u = if *u < 0.5 { 0.0 } else { u.round() });
            }
            (x[0], x[4]) = (2.0 * x[0] - 1.0, 1.0 + x[4]);
            if i == 7 {
                x[5..].fill(f64::NAN);
            }
            let values = numbers(&x);
            let (w, t, s) = (&values[1..4], &values[5..9], &values[9..]);
            assert!(w.iter().chain(s).all(|w| (0.0..=1.0).contains(w)), "{w:?} {s:?}");
            assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-15 && (s[0] + s[1] - 1.0).abs() < 1e-15);
            assert!(t[0] >= -2.0 && t[3] <= 6.0 && t.is_sorted(), "{t:?}");
            let back = space.encode(&space.decode(&x)).unwrap();
            assert!(space.contains(&back), "{back:?}");
            for (a, b) in numbers(&back).iter().zip(&values) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
        }
        // The ends are reached, and nothing is shares of nothing.
        let mut x = vec![0.0; 12];
        (x[2], x[9]) = (0.5, 1.0);
        assert_eq!(numbers(&x)[1..4], [0.0, 1.0, 0.0]);
        assert_eq!(numbers(&x)[5..], [-2.0, -2.0, -2.0, -2.0, 0.5, 0.5]);
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        let of = |texts: &[&str]| Space::<f64>::of(texts.iter().flat_map(|t| Variable::read(t).unwrap()).collect());
        let space = of(&["w=simplex:2", "t=sorted:0:1:2"]).unwrap();
        let error = |w: [f64; 4]| space.encode(&w.map(Typed::Number)).unwrap_err().to_string();
        assert_eq!(
            error([0.5, 0.6, 0.0, 1.0]),
            "w = 0.5, 0.6: must be 2 numbers of which none is below 0, with the sum 1"
        );
        assert!(error([-0.5, 1.5, 0.0, 1.0]).starts_with("w = -0.5, 1.5"));
        assert!(error([f64::NAN, 1.0, 0.0, 1.0]).starts_with("w = NaN, 1.0"));
        let rule = "t = 0.7, 0.2: must be 2 numbers from 0 to 1, none less than the one before";
        assert_eq!(error([0.5, 0.5, 0.7, 0.2]), rule);
        assert!(error([0.5, 0.5, 0.7, 1.2]).starts_with("t = 0.7, 1.2"));
        assert_eq!(space.encode(&[1.0, 0.0, 0.0, 1.0].map(Typed::Number)).unwrap(), [1.0, 0.0, 0.0, 1.0, 0.0]);
        for wrong in
            [&["w0=simplex:2:0"][..], &["w1=simplex:2:1", "w0=simplex:2:0"], &["w0=simplex:2:0", "v1=simplex:2:1"]]
        {
            assert!(of(wrong).unwrap_err().to_string().contains("must stand together"), "{wrong:?}");
        }
        assert!(of(&["t0=sorted:0:1:2:0", "t1=sorted:0:2:2:1"]).is_err());
    }

    #[test]
    fn a_box_is_what_it_was() {
        let space: Space = Space::cube(3, -1.0, 1.0).unwrap();
        let mut x = vec![0.1, -0.7, 1.0];
        space.centre(&mut x);
        assert_eq!((x.as_slice(), space.numbers(&x)), (&[0.1, -0.7, 1.0][..], x.clone()));
        assert!(space.is_continuous(2) && space.count().is_none());
        for space in [space, super::tests::space()] {
            let bytes = postcard::to_allocvec(&space).unwrap();
            assert_eq!(postcard::from_bytes::<Space>(&bytes).unwrap(), space);
        }
    }
}
