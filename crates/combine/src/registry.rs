//! Every method by name, whichever crate it comes from: what the command line, the benchmarks and the tests read.

pub use swarmgrad_algorithms::method::{Entry, Handling, Method};
pub use swarmgrad_algorithms::parameters::Settings;

use crate::auto::Auto;
use crate::constrained::ConstrainedAuto;
use crate::fit::Fit;
use crate::handling::{Handled, Strategy};
use crate::islands::Islands;
use crate::multistart::MultiStart;
use crate::named::Lookup;
use crate::polish::Polish;
use std::sync::{PoisonError, RwLock};
use swarmgrad_algorithms::method::find;
use swarmgrad_algorithms::settings;
use swarmgrad_core::{Aim, Algorithm, Constraint, Error, Outside, Real, Result, Space};

/// The method that is taken where the user names none.
pub const DEFAULT: &str = "auto";

/// All methods of this crate: that which is taken where the user names none, then those whose parts the user chooses.
static ENTRIES: &[Entry] = &[
    Entry::of::<Auto<f32>, Auto<f64>>(
        "the default: local searches, CMA-ES and what else pays, by what the values show",
        "Baudis & Posik 2014; Loshchilov et al. 2013",
        &[],
    ),
    Entry::of::<ConstrainedAuto<f32>, ConstrainedAuto<f64>>(
        "what auto is on a problem with constraints: SQP descents, then populations",
        "Kraft 1988; Atamna et al. 2017",
        &[],
    ),
    Entry::of::<Fit<f32>, Fit<f64>>(
        "what auto is on residuals: least_squares from one new point after another",
        "More 1978; Boender & Rinnooy Kan 1987",
        &[],
    ),
    Entry::of::<MultiStart<f32, AllMethods>, MultiStart<f64, AllMethods>>(
        "a method that ends by itself, from one new point after another",
        "Rinnooy Kan & Timmer 1987",
        &[],
    ),
    Entry::of::<Polish<f32, AllMethods>, Polish<f64, AllMethods>>(
        "a global method, then a local search from its best point",
        "folklore",
        &[],
    ),
    Entry::of::<Islands<f32, AllMethods>, Islands<f64, AllMethods>>(
        "copies of a method on a ring that exchange their best points",
        "Tanese 1989; Whitley et al. 1999",
        &[],
    ),
];

/// All methods as parts of methods.
#[derive(Debug)]
pub struct AllMethods;

impl Lookup for AllMethods {
    fn entry(name: &str) -> Result<&'static Entry> {
        entry(name)
    }
}

/// The user's own methods, in the order in which they were registered.
static REGISTERED: RwLock<Vec<&'static Entry>> = RwLock::new(Vec::new());

/// Makes a method of the user's own known by its name: from then on, to the end of the process, it is built, run, combined with
/// others, saved and loaded like those of the library. A process that loads a saved state registers its methods first.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use swarmgrad_algorithms::parameters;
/// use swarmgrad_combine::registry::{self, Entry, Method, Settings};
/// use swarmgrad_core::{Algorithm, Matrix, Real, Result, Rng, Space, Start, View, save_state};
///
/// parameters! {
///     /// Its parameters.
///     pub struct Params {
///         /// Points a round.
///         points "n": usize = 10, AtLeast(1.0);
///     }
/// }
///
/// /// Uniform points in the box.
/// #[derive(Serialize, Deserialize)]
/// #[serde(bound = "")]
/// struct Rain<F: Real> {
///     space: Space<F>,
///     points: usize,
///     rounds: u64,
///     best: (Vec<F>, F),
/// }
///
/// impl<F: Real> Method<F> for Rain<F> {
///     const NAME: &'static str = "rain";
///     type Params = Params;
///
///     fn new(space: &Space<F>, _start: Start, _budget: Option<u64>, params: Params) -> Result<Self> {
///         Ok(Rain { space: space.clone(), points: params.points, rounds: 0, best: (Vec::new(), F::infinity()) })
///     }
/// }
///
/// impl<F: Real> Algorithm<F> for Rain<F> {
///     fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
///         Start::Uniform.fill(&self.space, rng, self.points, xs);
///     }
///     fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
///         self.rounds += 1;
///         for (x, &value) in xs.iter().zip(values) {
///             if value < self.best.1 || self.best.0.is_empty() {
///                 self.best = (x.to_vec(), value);
///             }
///         }
///     }
///     fn answer(&self) -> Vec<F> {
///         self.best.0.clone()
///     }
///     fn iterations(&self) -> u64 {
///         self.rounds.saturating_sub(1)
///     }
///     fn view(&self) -> View<'_, F> {
///         View::default()
///     }
///     fn save(&self, out: &mut Vec<u8>) -> Result<()> {
///         save_state("rain", self, out)
///     }
/// }
///
/// registry::register(Entry::of::<Rain<f32>, Rain<f64>>("uniform points", "folklore", &[]))?;
/// let space = Space::cube(2, -1.0, 1.0)?;
/// let settings = Settings::from_iter([("method".into(), "rain:points=20".into())]);
/// let polish = registry::entry("polish")?.build(&space, None, &settings);
/// assert!(polish.is_ok());
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// A name that another method has, or that cannot be written in a text as [`parse`] reads it.
pub fn register(entry: Entry) -> Result<&'static Entry> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if entry.name.is_empty() || !entry.name.chars().all(word) {
        return Err(Error::parameter("name", format!("'{}'", entry.name), "must be of letters, digits and _"));
    }
    // A list that is only appended to is whole even if a thread panicked.
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    if library().chain(registered.iter().copied()).any(|known| known.name == entry.name) {
        return Err(Error::parameter("name", entry.name, "must not be the name of another method"));
    }
    let entry: &'static Entry = Box::leak(Box::new(entry));
    registered.push(entry);
    Ok(entry)
}

/// The methods of the library.
fn library() -> impl Iterator<Item = &'static Entry> + Clone {
    let (default, combined) = ENTRIES.split_at(1);
    let plain = default.iter().chain(swarmgrad_algorithms::registry::ENTRIES).chain(combined);
    plain.chain(swarmgrad_diff::registry::ENTRIES)
}

/// All methods: the default, the derivative-free ones, those made of methods, those that use gradients where there are any, and
/// those that were [registered](register).
pub fn entries() -> impl Iterator<Item = &'static Entry> + Clone {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner).clone();
    library().chain(registered)
}

/// The method called `name`; an unknown name gets the nearest right one.
///
/// ```
/// use swarmgrad_combine::registry;
/// assert_eq!(registry::entry("diff_de")?.name, "diff_de");
/// let error = registry::entry("dif_de").unwrap_err();
/// assert_eq!(error.to_string(), "unknown method 'dif_de', did you mean 'diff_de'?");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// There is no such method.
pub fn entry(name: &str) -> Result<&'static Entry> {
    find(entries(), name)
}

/// Reads a method with its settings, as [`settings::parse`] does.
///
/// # Errors
/// A text that is not of that form; a name that is not known.
pub fn parse(text: &str) -> Result<(&'static Entry, Settings)> {
    let (name, settings) = settings::parse(text)?;
    Ok((entry(&name)?, settings))
}

/// The same with further settings, as [`settings::parse_with`] adds them.
///
/// # Errors
/// Those of [`parse`], and a setting given twice.
pub fn parse_with(text: &str, more: &Settings) -> Result<(&'static Entry, Settings)> {
    let (name, settings) = settings::parse_with(text, more)?;
    Ok((entry(&name)?, settings))
}

/// What `auto` is on a problem with several objectives.
const FRONT: &str = "sms_emoa";

/// The setting that says how a method is told of constraints.
const HANDLING: &str = "constraint_handling";

/// What is built: for `auto` on a problem with constraints another method, unless the user says how it is to be told of them, and
/// others on one with residuals or several objectives.
fn chosen(entry: &'static Entry, constraints: &[Constraint], aim: &Aim, settings: &Settings) -> Result<Chosen> {
    let mut settings = settings.clone();
    let given = settings.remove(HANDLING);
    let handling = match &given {
        None => None,
        Some(value) if constraints.is_empty() => {
            return Err(Error::parameter(HANDLING, value, "the problem has no constraints"));
        }
        Some(value) => Some(Handling::named(value.as_str().unwrap_or(&value.to_string()))?),
    };
    if let (Aim::Objectives(_), Some(value)) = (aim, &given) {
        return Err(Error::parameter(HANDLING, value, "methods of several objectives take the constraints themselves"));
    }
    let entry = match aim {
        _ if entry.name != DEFAULT || handling.is_some() => entry,
        Aim::Objectives(_) => self::entry(FRONT)?,
        _ if !constraints.is_empty() => self::entry(ConstrainedAuto::<f64>::NAME)?,
        Aim::Residuals => self::entry(Fit::<f64>::NAME)?,
        Aim::Value => entry,
    };
    Ok(Chosen { entry, settings, handling })
}

struct Chosen {
    entry: &'static Entry,
    settings: Settings,
    handling: Option<Handling>,
}

/// That a method knows one value only, and which ones do not.
fn one_value(entry: &Entry, aim: &Aim) -> Error {
    let takes = |other: &&Entry| {
        let built = Space::<f64>::cube(2, 0.0, 1.0).and_then(|space| other.build(&space, None, &Settings::new()));
        built.is_ok_and(|mut method| method.expect_aim(aim))
    };
    let able: Vec<&str> = library().filter(takes).map(|other| other.name).collect();
    let rule = format!("minimises one value, and the problem has several objectives; {} take them", able.join(", "));
    Error::parameter("method", entry.name, rule)
}

/// Builds a method for a problem with these constraints, none or some, and this aim: one that takes the constraints' values itself,
/// or is told of them by its own strategy, or by that of the setting `constraint_handling`.
///
/// ```
/// use swarmgrad_combine::registry::{Settings, build, entry};
/// use swarmgrad_core::{Constrained, Constraint, Evaluations, Function, Problem, Run, Space};
///
/// let space = Space::cube(2, 0.0, 4.0)?;
/// let sum = Function::new(space.clone(), |x: &[f64]| x[0] + x[1]);
/// let problem = Constrained::new(sum).with(Constraint::at_most("product of 1 at least"), |x| 1.0 - x[0] * x[1]);
/// for name in ["auto", "de", "cma_es"] {
///     let entry = entry(name)?;
///     let mut method = build(entry, &space, Some(2000), &Settings::new(), problem.constraints(), problem.aim())?;
///     let outcome = Run::new(&problem, &mut *method, 1).watch(&mut Evaluations(2000)).minimize();
///     assert!(outcome.is_feasible() && (outcome.fun - 2.0).abs() < 1e-3, "{name}: {}", outcome.fun);
/// }
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`Entry::build`]; a handling that is not known, or that is set where there are no constraints; a method that knows one
/// value only where there are several objectives.
pub fn build<F: Real>(
    entry: &'static Entry,
    space: &Space<F>,
    budget: Option<u64>,
    settings: &Settings,
    constraints: &[Constraint],
    aim: &Aim,
) -> Result<Box<dyn Algorithm<F>>> {
    let Chosen { entry, settings, handling } = chosen(entry, constraints, aim, settings)?;
    // What bends the bounds for evolution strategies leads them past the borders of constraints: there they mirror.
    let mirrors = !constraints.is_empty() && entry.handling == Handling::Lagrangian;
    let mirrored = mirrors.then(|| space.clone().or_outside(Outside::Reflect));
    let mut method = entry.build(mirrored.as_ref().unwrap_or(space), budget, &settings)?;
    if matches!(aim, Aim::Objectives(_)) && !method.expect_aim(aim) {
        return Err(one_value(entry, aim));
    }
    if constraints.is_empty() || handling.is_none() && method.expect_constraints(constraints) {
        return Ok(method);
    }
    Ok(Box::new(Handled::new(method, Strategy::new(handling.unwrap_or(entry.handling), budget))))
}

/// Reads back the state of a method that [`build`] built with the same settings and constraints.
///
/// # Errors
/// Bytes that are not a state of this method.
pub fn load(
    entry: &'static Entry,
    bytes: &[u8],
    settings: &Settings,
    constraints: &[Constraint],
    aim: &Aim,
) -> Result<Box<dyn Algorithm>> {
    let Chosen { entry, handling, .. } = chosen(entry, constraints, aim, settings)?;
    if constraints.is_empty() {
        return entry.load(bytes);
    }
    // A method that takes the values itself is not wrapped; which one that is, it says itself.
    if handling.is_none()
        && let Ok(mut method) = entry.load(bytes)
        && method.expect_constraints(constraints)
    {
        return Ok(method);
    }
    Ok(Box::new(Handled::load(bytes, |bytes| entry.load(bytes))?))
}
