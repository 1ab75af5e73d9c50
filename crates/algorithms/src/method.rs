//! What a method is: the trait of those that are built by name, and the row of a table that builds them.

use crate::parameters::{Parameter, Parameters, Settings, check_settings, readable};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use swarmgrad_core::{Algorithm, ByScalar, Error, Real, Result, Space, Start, memory};

/// An algorithm as a table needs it.
pub trait Method<F: Real>: Algorithm<F> + Serialize + DeserializeOwned + 'static {
    /// Its name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;

    /// The method on a space. `budget` is the number of evaluations planned. What is large is taken later, with the first points;
    /// until then [`Algorithm::memory`] says how much that is.
    ///
    /// # Errors
    /// A parameter, named with its value and the rule; a start or a space that the method cannot take.
    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Self::Params) -> Result<Self>;

    /// Whether a state that was read back fits together, between two rounds: sizes, indices, parameters, and what else a round
    /// relies on. Whoever wrote a file may have written anything.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self) -> Result<()> {
        Ok(())
    }
}

/// How a method that knows values only is told of constraints, where nobody says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// Feasible points by their values, then infeasible ones by their violation.
    Feasibility,
    /// The same with a level up to which a violation counts as none.
    Epsilon,
    /// An augmented Lagrangian.
    Lagrangian,
    /// A penalty that grows.
    Penalty,
}

impl Handling {
    /// Every way with its name, as users write it.
    pub const ALL: [(&'static str, Handling); 4] = [
        ("feasibility", Handling::Feasibility),
        ("epsilon", Handling::Epsilon),
        ("lagrangian", Handling::Lagrangian),
        ("penalty", Handling::Penalty),
    ];

    /// The way of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Handling::ALL.iter().find(|(known, _)| *known == name);
        let names = Handling::ALL.iter().map(|(known, _)| *known);
        found.map(|(_, handling)| *handling).ok_or_else(|| Error::unknown("constraint_handling", name, names))
    }
}

/// Functions that build a method from its settings.
struct Build;

impl ByScalar for Build {
    type Of<F: Real> = fn(&Space<F>, Start, Option<u64>, Settings) -> Result<Box<dyn Algorithm<F>>>;
}

/// Functions that read back a saved state.
struct Load;

impl ByScalar for Load {
    type Of<F: Real> = fn(&[u8]) -> Result<Box<dyn Algorithm<F>>>;
}

/// A method of the library, or one of the user's: what a table knows of it.
#[derive(Debug)]
pub struct Entry {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// One line: what it is.
    pub summary: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Named sets of parameters: name, what it is, JSON.
    pub presets: &'static [(&'static str, &'static str, &'static str)],
    /// How it is told of constraints, unless it takes their values itself.
    pub handling: Handling,
    table: fn() -> Vec<Parameter>,
    readable: fn(Settings) -> std::result::Result<(), String>,
    build: (<Build as ByScalar>::Of<f32>, <Build as ByScalar>::Of<f64>),
    load: (<Load as ByScalar>::Of<f32>, <Load as ByScalar>::Of<f64>),
}

/// Reads the settings into the method's parameters and builds it.
fn build<F: Real, A: Method<F>>(
    space: &Space<F>,
    start: Start,
    budget: Option<u64>,
    settings: Settings,
) -> Result<Box<dyn Algorithm<F>>> {
    let params = serde_json::from_value(Value::Object(settings))
        .map_err(|why| Error::parameter("--set", A::NAME, why.to_string()))?;
    let method = A::new(space, start, budget, params)?;
    memory::check(A::NAME, space.dim(), method.memory())?;
    Ok(Box::new(method))
}

/// Reads back a saved state.
fn load<F: Real, A: Method<F>>(bytes: &[u8]) -> Result<Box<dyn Algorithm<F>>> {
    let method: A = postcard::from_bytes(bytes).map_err(|why| Error::Saved(format!("{}: {why}", A::NAME)))?;
    method.verify().map_err(|why| Error::Saved(format!("{}: {why}", A::NAME)))?;
    // A size that nothing in the state contradicts yet may still be one that no machine has.
    memory::check(A::NAME, method.dim().unwrap_or_default(), method.memory())?;
    Ok(Box::new(method))
}

/// [`build`] for 32 bits. Methods of 32 bits are half of what is to be compiled and few ask for them: hence the feature `single`.
fn build_single<A: Method<f32>>(
    space: &Space<f32>,
    start: Start,
    budget: Option<u64>,
    settings: Settings,
) -> Result<Box<dyn Algorithm<f32>>> {
    #[cfg(feature = "single")]
    return build::<f32, A>(space, start, budget, settings);
    #[cfg(not(feature = "single"))]
    return Err(no_single(A::NAME, (space, start, budget, settings)));
}

/// [`load`] for 32 bits.
fn load_single<A: Method<f32>>(bytes: &[u8]) -> Result<Box<dyn Algorithm<f32>>> {
    #[cfg(feature = "single")]
    return load::<f32, A>(bytes);
    #[cfg(not(feature = "single"))]
    return Err(no_single(A::NAME, bytes));
}

#[cfg(not(feature = "single"))]
fn no_single<T>(method: &str, _: T) -> Error {
    Error::parameter(method, "f32", "is built with the cargo feature `single` of swarmgrad")
}

impl Entry {
    /// A row of a table; the algorithm is named for both scalars.
    pub const fn of<A32: Method<f32>, A64: Method<f64>>(
        summary: &'static str,
        paper: &'static str,
        presets: &'static [(&'static str, &'static str, &'static str)],
    ) -> Self {
        Entry {
            name: A64::NAME,
            summary,
            paper,
            presets,
            handling: Handling::Feasibility,
            table: <A64::Params as Parameters>::table,
            readable: readable::<A64::Params>,
            build: (build_single::<A32>, build::<f64, A64>),
            load: (load_single::<A32>, load::<f64, A64>),
        }
    }

    /// The same row whose method of 32 bits is there without the feature `single` too, as those are that train networks.
    pub const fn in_single<A32: Method<f32>>(mut self) -> Self {
        self.build.0 = build::<f32, A32>;
        self.load.0 = load::<f32, A32>;
        self
    }

    /// The same row with another way to be told of constraints.
    pub const fn told_by(mut self, handling: Handling) -> Self {
        self.handling = handling;
        self
    }

    /// All parameters that the method has with these settings: those over a preset's over the defaults.
    pub fn complete(&self, settings: &Settings) -> Settings {
        let mut all: Settings = self.parameters().into_iter().map(|p| (p.name.to_owned(), p.default)).collect();
        let preset = settings.get("preset").and_then(Value::as_str).unwrap_or_default();
        if let Some((.., text)) = self.presets.iter().find(|(name, ..)| *name == preset) {
            all.extend(serde_json::from_str::<Settings>(text).unwrap_or_default());
        }
        all.extend(settings.clone());
        all
    }

    /// The method's parameters with symbol, default and range.
    pub fn parameters(&self) -> Vec<Parameter> {
        (self.table)()
    }

    /// Builds the method. `budget` is the number of evaluations planned, for methods that plan ahead.
    ///
    /// # Errors
    /// Unknown settings and presets, with the nearest right name; values that break a rule; a space the method cannot take.
    pub fn build<F: Real>(
        &self,
        space: &Space<F>,
        budget: Option<u64>,
        settings: &Settings,
    ) -> Result<Box<dyn Algorithm<F>>> {
        let (start, resolved) = self.resolve(settings)?;
        let build = F::choose::<Build>(self.build.0, self.build.1);
        let built = build(space, start, budget, resolved.clone());
        let Err(Error::Memory { method, dim, needs, limit, .. }) = built else { return built };
        if self.parameters().iter().any(|p| p.range.starts_with("a method")) {
            return Err(Error::Memory { method, dim, needs, limit, fits: None });
        }
        // One set size after the other, then the variables: the largest that would do.
        let fits = |space: &Space<F>, settings: Settings| {
            memory::would_fit(|| build(space, Start::default(), budget, settings))
        };
        let mut sizes = resolved.iter().filter_map(|(name, value)| Some((name, value.as_u64().filter(|n| *n > 1)?)));
        let size = sizes.find_map(|(name, value)| {
            let with = |n: u64| {
                let mut settings = resolved.clone();
                settings.insert(name.clone(), n.into());
                settings
            };
            largest(value, |n| fits(space, with(n))).map(|n| format!("{name}={n} would do"))
        });
        let fits = size.or_else(|| {
            let cube = |n: u64| Space::cube(n as usize, F::of(-1.0), F::of(1.0));
            let most = largest(dim as u64, |n| cube(n).is_ok_and(|space| fits(&space, resolved.clone())))?;
            Some(format!("{most} variables would do, and {FRUGAL} take many more"))
        });
        Err(Error::Memory { method, dim, needs, limit, fits })
    }

    /// Reads back the state that [`Algorithm::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are not a state of this method.
    pub fn load<F: Real>(&self, bytes: &[u8]) -> Result<Box<dyn Algorithm<F>>> {
        F::choose::<Load>(self.load.0, self.load.1)(bytes)
    }

    /// Takes out `start` and `preset`, puts the preset below what the user set, and checks the names: the settings that
    /// deserialise into the method's parameters.
    ///
    /// # Errors
    /// A start or preset that cannot be read; names that are not known and values of the wrong type.
    pub fn resolve(&self, settings: &Settings) -> Result<(Start, Settings)> {
        let mut own = settings.clone();
        let start = match own.remove("start") {
            Some(start) => serde_json::from_value(start.clone())
                .map_err(|why| Error::parameter("start", start, why.to_string()))?,
            None => Start::default(),
        };
        let mut resolved = Settings::new();
        if let Some(preset) = own.remove("preset") {
            let name = preset.as_str().unwrap_or_default();
            let known = || self.presets.iter().map(|(name, ..)| *name);
            let found = self.presets.iter().find(|(known, ..)| *known == name);
            let (.., json) = found.ok_or_else(|| Error::unknown(&format!("preset of {}", self.name), name, known()))?;
            resolved = serde_json::from_str(json).map_err(|why| Error::parameter("preset", name, why.to_string()))?;
        }
        resolved.append(&mut own);
        check_settings(self.name, &self.parameters(), &["preset", "start"], self.readable, &mut resolved)?;
        Ok((start, resolved))
    }
}

/// Methods that keep no matrix of variables by variables.
const FRUGAL: &str = "sep_cma_es, cr_fm_nes and random_search";

/// The largest number below `end` of which it holds, where it holds of all smaller ones.
fn largest(end: u64, mut holds: impl FnMut(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (0, end);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    (low > 0).then_some(low)
}

/// The entry called `name`; an unknown name gets the nearest right one.
///
/// # Errors
/// There is no such entry.
pub fn find(entries: impl Iterator<Item = &'static Entry> + Clone, name: &str) -> Result<&'static Entry> {
    let found = entries.clone().find(|entry| entry.name == name);
    found.ok_or_else(|| Error::unknown("method", name, entries.map(|entry| entry.name)))
}
