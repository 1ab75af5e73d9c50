//! Recorded runs as one self-contained page: what was asked for, what came of it, the pictures, the points.

use super::picture::{self, has_times, have_front, short_name};
use super::{Point, Recorded};
use crate::plot::{rows, svg::escape};
use crate::report::Report;
use crate::table::{Table, grouped, significant, span};
use swarmgrad::study::Study;

/// Variables in a table of points at most.
const COLUMNS: usize = 12;
/// First points that are shown among the settings at most.
const FIRST_POINTS: usize = 5;
/// Width of a slice: three fill the page.
const SLICE: f64 = 320.0;
/// Characters of a text of the journal that are shown.
const LONG: usize = 2000;

/// The page of these runs: the curves of all, then everything of each.
pub fn page(runs: &[Recorded]) -> Report {
    page_under(runs, None)
}

/// The same with a link to a page of all runs.
pub fn page_under(runs: &[Recorded], all: Option<&str>) -> Report {
    let mut page = Report::new(match runs {
        [run] => format!("{}: {}", shortened(&run.problem(), 120), shortened(&run.method(), 120)),
        runs => format!("{} runs", runs.len()),
    });
    if let Some(all) = all {
        page.link("all runs", all);
    }
    if runs.len() > 1 {
        page.table(&overview(runs), "The runs.");
        curves(&mut page, runs);
    }
    for run in runs {
        if runs.len() > 1 {
            page.heading(&short_name(run));
        }
        of_run(&mut page, run, runs.len() == 1);
    }
    page
}

/// A journal in a list of journals.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The name of its file.
    pub name: String,
    /// Where its page is.
    pub link: String,
    /// Problem, method, evaluations, failures, best value; or why it cannot be read.
    pub says: Result<[String; 5], String>,
    /// Whether it holds a result, and why the run ended.
    pub ended: Option<String>,
    /// Seconds since it was written last.
    pub ago: f64,
}

impl Listed {
    /// Of a run, or of a journal that could not be read.
    pub fn of(name: &str, link: String, run: Result<&Recorded, String>) -> Self {
        let says = |run: &Recorded| {
            let best = run.best.first().map_or("none".into(), |best| significant(best.value, 6));
            let (problem, method) = (shortened(&run.problem(), 40), shortened(&run.method(), 40));
            [problem, method, grouped(run.evaluations), grouped(run.failed()), best]
        };
        let finished = run.as_ref().ok().filter(|run| !run.results.is_empty());
        let ended = finished.map(|run| shortened(&ended(run), 40));
        Listed { name: name.into(), link, ended, says: run.map(says), ago: 0.0 }
    }
}

/// The page of the journals of a folder.
pub fn index(folder: &str, journals: &[Listed]) -> Report {
    let mut page = Report::new(format!("Runs in {folder}"));
    if journals.is_empty() {
        page.paragraph("No journal is here yet: --record FILE.jsonl of `swarmgrad minimize` writes one.");
        return page;
    }
    let cell = |text: &str| format!("<td>{}</td>", escape(text));
    let number = |text: &str| format!("<td class=\"number\">{}</td>", escape(text));
    let mut rows = String::new();
    for journal in journals {
        let mut row = format!("<td><a href=\"{}\">{}</a></td>", escape(&journal.link), escape(&journal.name));
        match &journal.says {
            Ok([problem, method, evaluations, failed, best]) => {
                row += &(cell(problem) + &cell(method) + &number(evaluations) + &number(failed) + &number(best));
            }
            Err(why) => row += &format!("<td colspan=\"5\">{}</td>", escape(&shortened(why, 120))),
        }
        let ended = journal.ended.as_deref().unwrap_or(if journal.says.is_ok() { "no result yet" } else { "" });
        row += &(cell(&format!("{} ago", span(journal.ago))) + &cell(ended));
        rows += &format!("<tr>{row}</tr>\n");
    }
    let names = ["run", "of", "method", "evaluations", "failed", "best value", "written", "ended"];
    let headers: String = names.iter().map(|name| format!("<th>{name}</th>")).collect();
    page.markup(&format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{headers}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    ));
    page
}

fn overview(runs: &[Recorded]) -> Table {
    let mut table = Table::new(["run", "of", "evaluations", "failed", "best value", "ended"]);
    for run in runs {
        let best = run.best.first().map_or("none".into(), |best| significant(best.value, 6));
        let (problem, ended) = (shortened(&run.problem(), 40), shortened(&ended(run), 60));
        table.row([short_name(run), problem, grouped(run.evaluations), grouped(run.failed()), best, ended]);
    }
    table
}

fn curves(page: &mut Report, runs: &[Recorded]) {
    let mut captions = Vec::new();
    if have_front(runs) {
        captions.push("The points of which none is better than another in all objectives.");
    }
    let objectives = runs.iter().any(|run| run.objectives.len() > 1);
    captions.push(if objectives {
        "The best value of the first objective against evaluations."
    } else {
        "The best value so far against evaluations."
    });
    captions.push(
        "The same against time: the least that the seconds of the evaluations allow, without what the method itself took.",
    );
    for (svg, caption) in picture::curves(runs).iter().zip(captions) {
        page.picture(svg, caption);
    }
}

/// Why a run ended, as far as its journal says.
fn ended(run: &Recorded) -> String {
    let said = run.results.last().and_then(|result| result["message"].as_str());
    said.map_or("not yet, or it was broken off: the journal holds no result".into(), str::to_owned)
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn facts(run: &Recorded) -> Vec<(String, String)> {
    let mut facts: Vec<(&str, String)> = vec![("journal", run.name.clone())];
    let last = run.results.last();
    let text = |name: &str| last.and_then(|result| result[name].as_str()).map(|text| shortened(text, LONG));
    let value = match run.best.first() {
        None => "none: no evaluation gave a finite number".into(),
        Some(best) if run.header.maximize => format!("{} (maximised)", significant(best.value, 6)),
        Some(best) => significant(best.value, 6),
    };
    facts.push((if run.objectives.len() > 1 { "best in the first objective" } else { "best value" }, value));
    if let Some(mean) = last.and_then(|result| result["noise"]["mean"].as_f64()) {
        facts.push(("mean of re-evaluations", significant(mean, 6)));
    }
    if let Some(best) = run.best.first() {
        facts.push(("found", format!("evaluation {}", grouped(best.number))));
        facts.push(("at", at(run, best)));
        if !run.meaning.constraints.is_empty() {
            let feasible = match best.violation {
                0.0 => "yes".to_owned(),
                violation => format!("no: violated by {}", significant(violation, 3)),
            };
            facts.push(("feasible", feasible));
        }
    }
    let budget = last.and_then(|result| result["budget"].as_u64()).map(|budget| format!(" of {}", grouped(budget)));
    facts.push(("evaluations", grouped(run.evaluations) + &budget.unwrap_or_default()));
    if run.failed() > 0 {
        facts.push(("failed", grouped(run.failed())));
    }
    facts.push(("ended", shortened(&ended(run), LONG)));
    facts.extend(text("account").map(|account| ("account", account)));
    if let Some(seconds) = last.and_then(|result| result["seconds"].as_f64()) {
        facts.push(("time", span(seconds)));
    }
    if has_times(run) {
        let busy: f64 = run.timeline.workers.iter().map(|worker| worker.busy).sum();
        let workers = run.timeline.workers.len();
        let by = if workers == 1 { "1 worker".into() } else { format!("{workers} workers") };
        facts.push(("time of evaluations", format!("{} by {by}", span(busy))));
    }
    facts.push(("written by", format!("swarmgrad {}", shortened(&run.header.version, 40))));
    if run.torn > 0 {
        let torn = format!("its last line is not whole ({} bytes) and does not count", grouped(run.torn));
        facts.push(("note", torn));
    }
    facts.extend(run.notes.iter().map(|note| ("note", shortened(&note.to_string(), LONG))));
    facts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A point by the names of its variables.
fn at(run: &Recorded, point: &Point) -> String {
    let named =
        |(variable, place): (&super::meaning::Shown, &f64)| format!("{} = {}", variable.name, variable.text(*place));
    let all = run.meaning.variables.iter().zip(&point.x);
    let more = point.x.len().saturating_sub(4 * COLUMNS);
    let shown: Vec<_> = all.take(4 * COLUMNS).map(named).collect();
    shown.join(", ") + &if more > 0 { format!(", and {more} more") } else { String::new() }
}

fn of_run(page: &mut Report, run: &Recorded, alone: bool) {
    page.facts(&facts(run));
    if alone {
        curves(page, std::slice::from_ref(run));
    }
    if let Some(svg) = picture::parallel(run, 940.0) {
        page.picture(&svg, "Every line is an evaluated point; some of many are drawn, the best among them.");
    }
    let slices = picture::slices(run, SLICE);
    if !slices.is_empty() {
        let panels: Vec<Vec<String>> = slices.chunks(3).map(<[String]>::to_vec).collect();
        let caption = "The value against each variable. Dark points came first, yellow ones last; the best is the orange dot. \
                       Crosses are infeasible (orange) and failed (purple, at the edge). Values beyond an axis lie on its end.";
        page.picture(&rows(&panels), caption);
    }
    match picture::important(run) {
        Some(svg) => page.picture(
            &svg,
            "An estimate: the correlation ratio of ranks (Kelley's ε²). The range of a variable is cut into bins; shown is the \
             share of the variance of the values' ranks that lies between the bins, less what chance gives them. One variable at \
             a time: what two do only together is not seen. It rests on the points that the method chose.",
        ),
        None => page.paragraph("Too few evaluations have a value for an estimate of the variables' importance."),
    };
    if let Some(svg) = picture::failures(run) {
        page.picture(&svg, "The share of failed evaluations over the run.");
        page.table(&failures(run), "Failures by kind, with what the last one said.");
        if let Some(text) = picture::where_failed(run) {
            page.paragraph(&text);
        }
    }
    if let Some(svg) = picture::workers(run) {
        page.picture(
            &svg,
            "When each worker was evaluating, as far as the seconds of the evaluations tell: a worker goes on when it is free and \
             its round has been asked for.",
        );
    }
    page.table(&points(run, run.best.iter()), "The best evaluations.");
    page.table(&points(run, run.last.iter()), "The last evaluations, the last one first.");
    page.heading("Settings");
    page.code(&settings(run));
}

fn failures(run: &Recorded) -> Table {
    let mut table = Table::new(["kind", "count", "share", "first", "last", "the last one said"]);
    for failures in &run.failures {
        let share = format!("{:.1} %", 100.0 * failures.count as f64 / run.count().max(1) as f64);
        let text = shortened(failures.text.lines().next().unwrap_or_default(), 80);
        let (first, last) = failures.between;
        let kind = failures.kind.replace('_', " ");
        table.row([kind, grouped(failures.count), share, grouped(first), grouped(last), text]);
    }
    table
}

fn points<'a>(run: &Recorded, points: impl Iterator<Item = &'a Point>) -> Table {
    let constrained = !run.meaning.constraints.is_empty();
    let (times, several) = (has_times(run), run.timeline.workers.len() > 1);
    let variables = &run.meaning.variables[..run.meaning.variables.len().min(COLUMNS)];
    let mut headers = vec!["evaluation".to_owned(), "value".into()];
    headers.extend(constrained.then(|| "violation".into()));
    headers.extend(variables.iter().map(|variable| shortened(&variable.name, 24)));
    headers.extend((run.meaning.variables.len() > COLUMNS).then(|| "…".into()));
    headers.extend(times.then(|| "seconds".into()));
    headers.extend(several.then(|| "worker".into()));
    let mut table = Table::new(headers);
    for point in points {
        let failed = |kind: &str| format!("failed: {}", kind.replace('_', " "));
        let mut row = vec![grouped(point.number), point.failure.map_or(significant(point.value, 6), failed)];
        row.extend(
            constrained.then(|| if point.failure.is_some() { "–".into() } else { significant(point.violation, 3) }),
        );
        row.extend(variables.iter().zip(&point.x).map(|(variable, place)| shortened(&variable.text(*place), 24)));
        row.extend((run.meaning.variables.len() > COLUMNS).then(|| "…".into()));
        row.extend(times.then(|| significant(point.seconds, 3)));
        row.extend(several.then(|| point.worker.to_string()));
        table.row(row);
    }
    table
}

/// What the user said, as the file of a study.
fn settings(run: &Recorded) -> String {
    let mut header = String::new();
    let text = run.study.as_ref().and_then(|study| {
        let mut study: Study = study.clone();
        if study.x0.len() > FIRST_POINTS {
            header = format!("# x0: {} first points, not shown\n", study.x0.len());
            (study.x0, study.y0) = (Vec::new(), Vec::new());
        }
        study.to_toml().ok()
    });
    let plain = || serde_json::to_string_pretty(&run.header.study).unwrap_or_default();
    shortened(&(header + &text.unwrap_or_else(plain)), 50_000)
}
