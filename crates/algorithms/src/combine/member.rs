//! A method of the registry as a part of a combinator: known by its text, saved and loaded with it.

use crate::registry;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use swarmgrad_core::{Algorithm, Error, Matrix, Real, Reason, Result, Rng, Space, Start, View};

/// A method by name.
pub struct Member<F: Real> {
    name: &'static str,
    algorithm: Box<dyn Algorithm<F>>,
}

impl<F: Real> std::fmt::Debug for Member<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.name)
    }
}

impl<F: Real> Member<F> {
    /// Builds the method of a text as [`registry::parse`] reads it. Errors if there is no such method, if a parameter is
    /// wrong, or if it does not fit the space.
    pub fn new(text: &str, space: &Space<F>, start: &Start, budget: Option<u64>) -> Result<Self> {
        let (entry, mut settings) = registry::parse(text)?;
        let start = serde_json::to_value(start).map_err(|why| Error::parameter("start", text, why.to_string()))?;
        settings.insert("start".into(), start);
        let any = space as &dyn Any;
        let algorithm = match (any.downcast_ref::<Space<f64>>(), any.downcast_ref::<Space<f32>>()) {
            (Some(space), _) => same(entry.build(space, budget, &settings)?),
            (_, Some(space)) => same(entry.build_f32(space, budget, &settings)?),
            _ => unreachable!("a scalar is f32 or f64"),
        };
        Ok(Member { name: entry.name, algorithm })
    }
}

/// The algorithm under the name that its scalar has here: A and F are the same.
fn same<A: Real, F: Real>(algorithm: Box<dyn Algorithm<A>>) -> Box<dyn Algorithm<F>> {
    let boxed: Box<dyn Any> = Box::new(algorithm);
    match boxed.downcast::<Box<dyn Algorithm<F>>>() {
        Ok(algorithm) => *algorithm,
        Err(_) => unreachable!("the scalar was looked at before"),
    }
}

impl<F: Real> Serialize for Member<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut state = Vec::new();
        self.algorithm.save(&mut state);
        (self.name, state).serialize(serializer)
    }
}

impl<'de, F: Real> Deserialize<'de> for Member<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let (name, state) = <(String, Vec<u8>)>::deserialize(deserializer)?;
        let failed = |why: Error| serde::de::Error::custom(why.to_string());
        let entry = registry::entry(&name).map_err(failed)?;
        let wide = std::any::TypeId::of::<F>() == std::any::TypeId::of::<f64>();
        let algorithm = if wide {
            same(entry.load(&state).map_err(failed)?)
        } else {
            same(entry.load_f32(&state).map_err(failed)?)
        };
        Ok(Member { name: entry.name, algorithm })
    }
}

impl<F: Real> Algorithm<F> for Member<F> {
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

    fn why(&self) -> Option<Reason> {
        self.algorithm.why()
    }

    fn account(&self) -> Option<String> {
        self.algorithm.account()
    }

    fn expect_gradients(&mut self) -> bool {
        self.algorithm.expect_gradients()
    }

    fn gradient_rows(&self) -> &[usize] {
        self.algorithm.gradient_rows()
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        self.algorithm.tell_gradients(gradients);
    }

    fn view(&self) -> View<'_, F> {
        self.algorithm.view()
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.algorithm.save(out);
    }
}
