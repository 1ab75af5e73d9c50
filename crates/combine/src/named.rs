//! A method by name as a part of a combinator: saved and loaded with its name.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::marker::PhantomData;
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::settings;
use swarmgrad_core::{Aim, Algorithm, Constraint, Error, Matrix, Real, Result, Rng, Space, Start, View};

/// Where a method made of methods looks up its parts. The table of all methods has such methods in it, so they cannot name the
/// table themselves.
pub trait Lookup: 'static {
    /// The entry of that name.
    ///
    /// # Errors
    /// There is none.
    fn entry(name: &str) -> Result<&'static Entry>;
}

/// A method by name.
pub struct NamedMethod<F: Real, L: Lookup> {
    name: &'static str,
    algorithm: Box<dyn Algorithm<F>>,
    lookup: PhantomData<fn() -> L>,
}

impl<F: Real, L: Lookup> std::fmt::Debug for NamedMethod<F, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NamedMethod({})", self.name)
    }
}

impl<F: Real, L: Lookup> NamedMethod<F, L> {
    /// Builds the method of a text as [`settings::parse`] reads it, the value of the parameter `of`.
    ///
    /// # Errors
    /// There is no such method, a parameter is wrong, or the method cannot take the space.
    pub fn new(of: &str, text: &str, space: &Space<F>, start: &Start, budget: Option<u64>) -> Result<Self> {
        let wrong = |why: Error| Error::parameter(of, text, why.to_string());
        let (name, mut all) = settings::parse(text).map_err(wrong)?;
        let entry = L::entry(&name).map_err(wrong)?;
        let start = serde_json::to_value(start).map_err(|why| Error::parameter("start", text, why.to_string()))?;
        all.insert("start".into(), start);
        Ok(NamedMethod { name: entry.name, algorithm: entry.build(space, budget, &all)?, lookup: PhantomData })
    }
}

impl<F: Real, L: Lookup> Serialize for NamedMethod<F, L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut state = Vec::new();
        self.algorithm.save(&mut state).map_err(serde::ser::Error::custom)?;
        (self.name, state).serialize(serializer)
    }
}

impl<'de, F: Real, L: Lookup> Deserialize<'de> for NamedMethod<F, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let (name, state) = <(String, Vec<u8>)>::deserialize(deserializer)?;
        let failed = |why: Error| serde::de::Error::custom(why.to_string());
        let entry = L::entry(&name).map_err(failed)?;
        let algorithm = entry.load(&state).map_err(failed)?;
        Ok(NamedMethod { name: entry.name, algorithm, lookup: PhantomData })
    }
}

impl<F: Real, L: Lookup> Algorithm<F> for NamedMethod<F, L> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        self.algorithm.ask(rng, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.algorithm.tell(xs, values);
    }

    fn answer(&self) -> Vec<F> {
        self.algorithm.answer()
    }

    fn iterations(&self) -> u64 {
        self.algorithm.iterations()
    }

    fn view(&self) -> View<'_, F> {
        self.algorithm.view()
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        self.algorithm.expect_constraints(constraints)
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.algorithm.tell_constraints(values);
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        self.algorithm.expect_aim(aim)
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        self.algorithm.tell_parts(parts);
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        self.algorithm.save(out)
    }

    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        Some(&*self.algorithm)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        Some(&mut *self.algorithm)
    }
}
