//! How a typed point is a point of a box. Nothing else knows.
//!
//! ```text
//! real     itself
//! log      its logarithm
//! whole    the number i of its step, in [i - 1/2, i + 1/2]
//! ordered  as whole; so is a choice of two, and a flag
//! choice   of K words: K numbers from 0 to 1, whose largest wins, of equals the first
//! fixed    nothing
//! ```

use crate::math::{exp, ln};
use crate::{Error, Real, Result, Space, Typed, Variable, VariableKind};

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

/// How many coordinates a variable takes.
fn width(variable: &Variable) -> usize {
    match variable.kind() {
        VariableKind::Fixed(_) => 0,
        VariableKind::Choice { of, ordered: false } if of.len() > 2 => of.len(),
        _ => 1,
    }
}

/// The bounds of each of its coordinates.
fn bounds(variable: &Variable) -> (f64, f64) {
    match variable.kind() {
        VariableKind::Real { lower, upper } => (*lower, *upper),
        VariableKind::Log { lower, upper } => (ln(*lower), ln(*upper)),
        VariableKind::Choice { of, ordered: false } if of.len() > 2 => (0.0, 1.0),
        _ => (-0.5, variable.values().unwrap_or(1) as f64 - 0.5),
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

fn value<F: Real>(variable: &Variable, x: &[F]) -> Typed {
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
    }
}

/// The coordinates of a value; none where the variable does not have it.
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
    /// Two variables of one name; none that is not fixed.
    pub fn of(variables: Vec<Variable>) -> Result<Self> {
        for (i, variable) in variables.iter().enumerate() {
            if variables[..i].iter().any(|other| other.name() == variable.name()) {
                return Err(Error::parameter("variable", variable.name(), "must be the name of one variable only"));
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
        self.typed().map(|(variable, from, to)| value(variable, &x[from..to])).collect()
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
        for (variable, value) in variables.iter().zip(values) {
            let rule = || Error::parameter(variable.name(), value, format!("must be a value of {variable}"));
            coordinates(variable, value, &mut out).ok_or_else(rule)?;
        }
        Ok(out)
    }

    /// The values of a point as numbers: a whole number is itself, a flag 0 or 1, a word its place in the list of its variable.
    pub fn numbers(&self, x: &[F]) -> Vec<F> {
        let number = |(variable, from, to): (&Variable, usize, usize)| match value(variable, &x[from..to]) {
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
                VariableKind::Real { .. } | VariableKind::Log { .. } | VariableKind::Fixed(_) => {}
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
        (0..plain).map(Part::Continuous).chain(self.typed().filter(|(_, from, to)| from < to).map(
            |(variable, from, to)| match variable.kind() {
                VariableKind::Real { .. } | VariableKind::Log { .. } => Part::Continuous(from),
                _ if to - from > 1 => Part::Choice { from, to },
                _ => Part::Steps { at: from, count: variable.values().unwrap_or(1) },
            },
        ))
    }

    /// Whether coordinate `j` may be changed by as little as one likes.
    pub fn is_continuous(&self, j: usize) -> bool {
        let part = self.typed().find(|(_, from, to)| (*from..*to).contains(&j));
        part.is_none_or(|(variable, ..)| {
            matches!(variable.kind(), VariableKind::Real { .. } | VariableKind::Log { .. })
        })
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
