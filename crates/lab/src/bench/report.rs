//! The report of a bench: tables and curves, as text, Markdown, SVG and one page.

use super::score::{BUDGETS, Score, Scores};
use super::suite::{Group, Suite};
use super::trial::Trial;
use crate::error::{Error, Result};
use crate::plot::{Axis, Chart, Line};
use crate::report::Report;
use crate::table::{Rules, Table, fixed};
use serde_json::{Map, Value, json};

/// Points of a curve.
const GRID: usize = 241;
/// The name of the line and the row of [`Scores::best_of`].
const SELECTOR: &str = "perfect selector";

const LEGEND: &str = "Share of the 51 precisions 10^2, 10^1.8, .. 10^-8 reached within so many evaluations a variable (d), over all \
    runs. The area is the mean of that share over log10(evaluations / d) from 0 to 3. Behind ± half of the 95 % interval over \
    instances (Student).";
const LEGEND_CONSTRAINED: &str = "Share of runs that have a point within all constraints whose value is within 1e-4 of the best one known \
    (relative), after so many evaluations a variable (d). The area is the mean of that share over log10(evaluations / d) from 0 to 3. \
    Behind ± half of the 95 % interval over seeds (Student).";
const LEGEND_TARGETS_CONSTRAINED: &str = "Share of the 41 precisions 10^2, 10^1.8, .. 10^-6 reached by points within all constraints \
    within so many evaluations a variable (d), over all runs; an evaluation gives the value and all constraints of a point. The area is \
    the mean of that share over log10(evaluations / d) from 0 to 3. Behind ± half of the 95 % interval over instances (Student).";
const OF_SELECTOR: &str = "The perfect selector knows for every run and every budget the best of the methods shown.";

/// The runs of a bench, method by method.
pub struct Findings {
    suite: Suite,
    methods: Vec<(String, Scores)>,
    budget: u64,
}

/// A curve of the report.
pub struct Picture {
    /// A name for its file, without ending.
    pub name: String,
    /// The picture.
    pub svg: String,
    /// What it shows.
    pub caption: String,
}

/// A part of the suite that gets a figure of its own: its name, and what belongs to it.
type Part = (String, Box<dyn Fn(&Score) -> bool>);

impl Findings {
    /// Groups runs by method, in the order in which they first occur.
    ///
    /// # Errors
    /// Runs on problems of several suites, or of none.
    pub fn of(trials: &[Trial]) -> Result<Self> {
        let mut groups: Vec<(String, Vec<&Trial>)> = Vec::new();
        for trial in trials {
            match groups.iter_mut().find(|(name, _)| *name == trial.record.method) {
                Some((_, group)) => group.push(trial),
                None => groups.push((trial.record.method.clone(), vec![trial])),
            }
        }
        let score = |(name, group): (String, Vec<&Trial>)| Ok((name, Scores::of(group)?));
        let spent = |trial: &Trial| trial.budget.max(trial.record.nfev.div_ceil(trial.record.dim.max(1) as u64));
        let methods: Vec<(String, Scores)> = groups.into_iter().map(score).collect::<Result<_>>()?;
        let mut suites = methods.iter().flat_map(|(_, scores)| &scores.0).map(|score| score.suite);
        let suite = suites.next().unwrap_or_default();
        if let Some(other) = suites.find(|other| *other != suite) {
            let rule = format!("the other runs are of the suite {}", suite.name());
            return Err(Error::value("suite", other.name(), rule));
        }
        Ok(Findings { suite, methods, budget: trials.iter().map(spent).max().unwrap_or(0) })
    }

    /// The methods with their runs.
    pub fn methods(&self) -> &[(String, Scores)] {
        &self.methods
    }

    /// The multiples of the number of variables that tables show.
    fn budgets(&self) -> Vec<u64> {
        BUDGETS.into_iter().filter(|b| *b < self.budget).chain([self.budget]).collect()
    }

    /// The methods, and the perfect selector over them if there are several.
    fn rows(&self) -> Vec<(&str, Scores)> {
        let mut rows: Vec<_> = self.methods.iter().map(|(name, scores)| (&**name, scores.clone())).collect();
        if rows.len() > 1 {
            rows.push((SELECTOR, Scores::best_of(self.methods.iter().map(|(_, scores)| scores))));
        }
        rows
    }

    fn all(&self) -> impl Iterator<Item = &Score> {
        self.methods.iter().flat_map(|(_, scores)| &scores.0)
    }

    /// The dimensions.
    fn dims(&self) -> Vec<Part> {
        let mut dims: Vec<usize> = self.all().map(|score| score.dim).collect();
        dims.sort_unstable();
        dims.dedup();
        dims.into_iter()
            .map(|dim| (format!("d = {dim}"), Box::new(move |s: &Score| s.dim == dim) as Box<dyn Fn(&Score) -> bool>))
            .collect()
    }

    /// The groups of functions that occur.
    fn groups(&self) -> Vec<Part> {
        let occurs = |&&(_, first, last): &&Group| self.all().any(|score| (first..=last).contains(&score.function));
        let part = |&(name, first, last): &Group| {
            let inside = move |s: &Score| (first..=last).contains(&s.function);
            (name.to_owned(), Box::new(inside) as Box<dyn Fn(&Score) -> bool>)
        };
        self.suite.groups().iter().filter(occurs).map(part).collect()
    }

    /// The functions that occur.
    fn functions(&self) -> Vec<Part> {
        let occurs = |function: &usize| self.all().any(|score| score.function == *function);
        let part =
            |f: usize| (self.suite.label(f), Box::new(move |s: &Score| s.function == f) as Box<dyn Fn(&Score) -> bool>);
        self.suite.functions().into_iter().filter(occurs).map(part).collect()
    }

    /// Share at every budget and area, with intervals over instances.
    pub fn overall(&self) -> Result<Table> {
        let budgets = self.budgets();
        let headers = ["method".to_owned()].into_iter();
        let headers = headers.chain(budgets.iter().map(|b| format!("{b} d"))).chain(["area".into(), "runs".into()]);
        let mut table = Table::new(headers);
        for (name, scores) in self.rows() {
            let mut row = vec![name.to_owned()];
            for &budget in &budgets {
                row.push(with_interval(&scores, |scores| scores.share(budget as f64))?);
            }
            row.push(with_interval(&scores, Scores::area)?);
            row.push(scores.0.len().to_string());
            table.row(row);
        }
        Ok(table)
    }

    /// A figure of every method on every part.
    fn by(&self, parts: &[Part], figure: impl Fn(&Scores) -> f64) -> Table {
        let headers = ["method"].into_iter().chain(parts.iter().map(|(name, _)| &**name));
        let mut table = Table::new(headers);
        for (name, scores) in self.rows() {
            let figures = parts.iter().map(|(_, keep)| fixed(figure(&scores.only(keep)), 3));
            table.row([name.to_owned()].into_iter().chain(figures));
        }
        table
    }

    /// Every table but the first: title and table.
    fn details(&self) -> Vec<(String, Table)> {
        let last = |scores: &Scores| scores.share(self.budget as f64);
        let at = format!("Share at {} d", self.budget);
        let feasible = self.suite.is_constrained().then(|| ("Feasible".to_owned(), self.feasible()));
        if self.suite.is_fixed() {
            return feasible.into_iter().chain(self.by_function()).collect();
        }
        let mut parts = vec![(self.groups(), "by group")];
        let dims = self.dims();
        if dims.len() > 1 {
            parts.insert(0, (dims, "by dimension"));
        }
        let figures = parts.iter().flat_map(|(parts, by)| {
            [(format!("{at} {by}"), self.by(parts, last)), (format!("Area {by}"), self.by(parts, Scores::area))]
        });
        feasible.into_iter().chain(figures).collect()
    }

    /// The share of runs with a point within all constraints.
    fn feasible(&self) -> Table {
        let budgets = self.budgets();
        let headers = budgets.iter().map(|budget| format!("{budget} d"));
        let mut table = Table::new(["method".to_owned()].into_iter().chain(headers));
        for (name, scores) in self.rows() {
            let figures = budgets.iter().map(|&budget| fixed(scores.feasible(budget as f64), 3));
            table.row([name.to_owned()].into_iter().chain(figures));
        }
        table
    }

    /// The tables by function: title and table.
    fn by_function(&self) -> Vec<(String, Table)> {
        let parts = self.functions();
        // A function a row: 24 columns would be too wide.
        let turned = |figure: &dyn Fn(&Scores) -> f64| {
            let rows = self.rows();
            let mut table = Table::new(["function"].into_iter().chain(rows.iter().map(|(name, _)| *name)));
            for (name, keep) in &parts {
                let figures = rows.iter().map(|(_, scores)| fixed(figure(&scores.only(keep)), 3));
                table.row([name.clone()].into_iter().chain(figures));
            }
            table
        };
        let last = |scores: &Scores| scores.share(self.budget as f64);
        vec![
            (format!("Share at {} d by function", self.budget), turned(&last)),
            ("Area by function".into(), turned(&Scores::area)),
        ]
    }

    /// Every table but the first, those by function too.
    fn all_details(&self) -> Vec<(String, Table)> {
        let by_function = if self.suite.is_fixed() { Vec::new() } else { self.by_function() };
        self.details().into_iter().chain(by_function).collect()
    }

    fn legend(&self) -> String {
        let legend = match self.suite {
            Suite::Bbob | Suite::BbobMixint | Suite::Cec2017 => LEGEND,
            Suite::BbobConstrained => LEGEND_TARGETS_CONSTRAINED,
            Suite::Cec2006 | Suite::Designs => LEGEND_CONSTRAINED,
        };
        if self.methods.len() > 1 { format!("{legend} {OF_SELECTOR}") } else { legend.into() }
    }

    /// The tables for a terminal.
    pub fn text(&self) -> Result<String> {
        let mut text = format!("{}\n", self.overall()?.text(Rules::Unicode));
        for (title, table) in self.details() {
            text += &format!("{title}\n{}\n", table.text(Rules::Unicode));
        }
        Ok(text)
    }

    /// The tables as Markdown.
    pub fn markdown(&self) -> Result<String> {
        let mut text = format!("# {}\n\n{}\n\n{}", self.suite.title(), self.legend(), self.overall()?.markdown());
        for (title, table) in self.all_details() {
            text += &format!("\n## {title}\n\n{}", table.markdown());
        }
        Ok(text)
    }

    /// Curves of the share against evaluations: overall, by dimension, by group.
    pub fn pictures(&self) -> Vec<Picture> {
        let whole: Part = ("all functions and dimensions".into(), Box::new(|_: &Score| true));
        let dims = self.dims();
        let dims = if dims.len() > 1 && !self.suite.is_fixed() { dims } else { Vec::new() };
        let parts = [whole].into_iter().chain(dims).chain(self.groups());
        parts.map(|(name, keep)| self.picture(&name, keep)).collect()
    }

    fn picture(&self, part: &str, keep: impl Fn(&Score) -> bool) -> Picture {
        let end = (self.budget.max(2) as f64).log10();
        let mut chart = Chart::new(
            format!("Targets reached: {part}"),
            Axis::log("evaluations / d").range(1.0, 10f64.powf(end)),
            Axis::linear(if self.suite.is_fixed() { "share of runs solved" } else { "share of targets" })
                .range(0.0, 1.0),
        );
        for (name, scores) in self.rows() {
            let scores = scores.only(&keep);
            let at = (0..GRID).map(|i| 10f64.powf(end * i as f64 / (GRID - 1) as f64));
            chart.line(Line::new(name, at.map(|n| (n, scores.share(n))).collect()));
        }
        let file = part.replace(" = ", "").replace([' ', '-'], "_");
        Picture { name: format!("ecdf_{file}"), svg: chart.svg(), caption: format!("Share of targets: {part}.") }
    }

    /// The self-contained page.
    pub fn page(&self) -> Result<Report> {
        let mut page = Report::new(self.suite.title());
        page.paragraph(&self.legend()).table(&self.overall()?, "All functions, dimensions and instances.");
        for picture in self.pictures() {
            page.picture(&picture.svg, &picture.caption);
        }
        for (title, table) in self.all_details() {
            page.table(&table, &format!("{title}."));
        }
        Ok(page)
    }

    /// Everything that the tables show.
    pub fn json(&self) -> Result<Value> {
        let mut methods = Vec::new();
        for (name, scores) in self.rows() {
            let figures = |scores: &Scores| -> Value {
                let share: Map<_, _> =
                    self.budgets().iter().map(|b| (b.to_string(), json!(scores.share(*b as f64)))).collect();
                let mut figures = json!({"runs": scores.0.len(), "share": share, "area": scores.area()});
                if self.suite.is_constrained() {
                    let feasible =
                        self.budgets().into_iter().map(|b| (b.to_string(), scores.feasible(b as f64).into()));
                    figures["feasible"] = Value::Object(feasible.collect());
                }
                figures
            };
            let parts = |parts: &[Part]| -> Map<String, Value> {
                parts.iter().map(|(name, keep)| (name.clone(), figures(&scores.only(keep)))).collect()
            };
            let interval = scores.interval(Scores::area)?;
            let last = scores.interval(|scores| scores.share(self.budget as f64))?;
            let ends = |low: f64, high: f64| if low.is_finite() { json!([low, high]) } else { Value::Null };
            let mut method = figures(&scores);
            if let Some(fields) = method.as_object_mut() {
                fields.insert("method".into(), name.into());
                fields.insert("area_interval".into(), ends(interval.low, interval.high));
                fields.insert("share_interval".into(), ends(last.low, last.high));
                fields.insert("dims".into(), parts(&self.dims()).into());
                fields.insert("groups".into(), parts(&self.groups()).into());
                fields.insert("functions".into(), parts(&self.functions()).into());
            }
            methods.push(method);
        }
        Ok(json!({"suite": self.suite.name(), "budget": self.budget, "methods": methods}))
    }
}

/// A figure with three decimals and half of its interval over instances, where there is one.
fn with_interval(scores: &Scores, figure: impl Fn(&Scores) -> f64) -> Result<String> {
    let interval = scores.interval(&figure)?;
    let half = (interval.high - interval.low) / 2.0;
    let figure = fixed(figure(scores), 3);
    Ok(if half.is_finite() { format!("{figure} ±{}", fixed(half, 3)) } else { figure })
}
