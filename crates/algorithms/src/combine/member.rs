//! A method of the registry as a part of a combinator: known by name, saved and loaded with it.

use crate::registry::{self, Settings};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Rows, Space, Start, View};

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
    /// Builds the method with its defaults. Errors if there is no such method, or if it does not fit the space.
    pub fn new(name: &str, space: &Space<F>, start: Start, budget: Option<u64>) -> Result<Self> {
        let entry = registry::entry(name)?;
        let mut settings = Settings::new();
        settings.insert("start".into(), serde_json::to_value(start).unwrap_or_default());
        let algorithm = if let Some(space) = (space as &dyn Any).downcast_ref::<Space<f32>>() {
            same::<f32, F>(entry.build_f32(space, budget, &settings)?)
        } else if let Some(space) = (space as &dyn Any).downcast_ref::<Space<f64>>() {
            same::<f64, F>(entry.build(space, budget, &settings)?)
        } else {
            None
        };
        // Real is f32 or f64, so one of the two is it.
        let algorithm = algorithm.unwrap_or_else(|| unreachable!("a scalar is f32 or f64"));
        Ok(Member { name: entry.name, algorithm })
    }
}

/// The algorithm under the name that its scalar has here; none if the scalars differ.
fn same<A: Real, F: Real>(algorithm: Box<dyn Algorithm<A>>) -> Option<Box<dyn Algorithm<F>>> {
    let boxed: Box<dyn Any> = Box::new(algorithm);
    boxed.downcast::<Box<dyn Algorithm<F>>>().ok().map(|algorithm| *algorithm)
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
        let failed = |why: swarmgrad_core::Error| serde::de::Error::custom(why.to_string());
        let entry = registry::entry(&name).map_err(failed)?;
        let algorithm = match same::<f64, F>(entry.load(&state).map_err(failed)?) {
            Some(algorithm) => algorithm,
            None => same::<f32, F>(entry.load_f32(&state).map_err(failed)?)
                .ok_or_else(|| serde::de::Error::custom("a scalar is f32 or f64"))?,
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

    fn gradient_rows(&self) -> &[usize] {
        self.algorithm.gradient_rows()
    }

    fn tell_gradients(&mut self, gradients: Rows<'_, F>) {
        self.algorithm.tell_gradients(gradients);
    }

    fn view(&self) -> View<'_, F> {
        self.algorithm.view()
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.algorithm.save(out);
    }
}
