//! `data`: the data sets, one of them, and how to get those that are not part of the program.

use crate::output::{self, aligned, grouped, number, short};
use crate::{DONE, interrupt};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::Halt;
use swarmgrad_lab::table::{Rules, Table};
use swarmgrad_nn::data::catalog::{self, ENTRIES, Entry, Place};
use swarmgrad_nn::data::fetch::{self, Source};
use swarmgrad_nn::data::{self, Column, Preset, Task, Values, csv};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad data list                                what there is, and what is fetched already
  swarmgrad data show heart                          rows, columns, classes, missing values, the first rows
  swarmgrad data show heart --preset paper           only the rows that the AdaSwarm paper used
  swarmgrad data show measurements.csv               how a file of your own is read
  swarmgrad data fetch seeds                         download (in builds with the feature `download`)
  swarmgrad data fetch seeds --from ~/Downloads      from files that lie there already

Fetched sets are kept in $SWARMGRAD_DATA, or in `swarmgrad` in the platform's folder for data.";

/// What to do with data sets.
#[derive(Args, Debug)]
pub struct Data {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List the data sets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a data set or a CSV file: rows, columns, classes, missing values, the first rows
    Show {
        /// Name of a data set, or a CSV file
        name: String,
        /// Which rows: `paper`, those the AdaSwarm paper used, or `full`, all with what counts as missing; else the table
        /// as it is
        #[arg(long)]
        preset: Option<String>,
        /// How many rows to show
        #[arg(long, default_value = "5", value_parser = crate::argument::count)]
        head: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Get a data set that is not part of the program; it is compared with its pinned checksum
    Fetch {
        /// Name of the data set
        name: String,
        /// A folder where the files lie already (UCI's own files or archives, or the prepared table), or another address
        #[arg(long, value_name = "DIR|URL")]
        from: Option<String>,
        /// The folder to keep it in, instead of the data folder
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

impl Data {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.what {
            What::List { json: true } => output::print_json(&ENTRIES.iter().map(entry_json).collect())?,
            What::List { json: false } => output::print(&list())?,
            What::Show { name, preset, head, json } => {
                let preset = preset.as_deref().map(Preset::named).transpose()?;
                show(name, preset, *head as usize, *json)?
            }
            What::Fetch { name, from, to } => fetch(name, from.as_deref(), to.as_deref())?,
        }
        Ok(ExitCode::from(DONE))
    }
}

fn place(entry: &Entry) -> &'static str {
    match (entry.place, entry.is_there()) {
        (Place::Embedded(_), _) => "in the program",
        (_, true) => "fetched",
        (Place::Images(_), false) if !fetch::fetchable().any(|name| name == entry.name) => "to bring",
        (_, false) => "to fetch",
    }
}

fn list() -> String {
    let mut table = Table::new(["data set", "rows", "features", "classes", "where", "what it is"]);
    for entry in ENTRIES {
        let classes = if entry.task == Task::Regression { "a number".into() } else { entry.classes.len().to_string() };
        let (rows, features) = (grouped(entry.rows as u64), entry.features.to_string());
        table.row([entry.name, &rows, &features, &classes, place(entry), entry.about]);
    }
    let more = "swarmgrad data show NAME shows one of them, swarmgrad data fetch NAME gets one.";
    format!("{}\n{more}\n", table.text(Rules::Unicode))
}

fn entry_json(entry: &Entry) -> Value {
    let classes: serde_json::Map<_, _> =
        entry.classes.iter().map(|(class, rows)| ((*class).to_owned(), json!(rows))).collect();
    json!({
        "name": entry.name, "about": entry.about, "task": entry.task, "rows": entry.rows, "features": entry.features,
        "classes": classes, "missing": entry.missing, "licence": entry.licence, "url": entry.url,
        "where": place(entry), "sha256": Some(entry.sha256).filter(|digest| !digest.is_empty()),
    })
}

fn show(name: &str, preset: Option<Preset>, head: usize, as_json: bool) -> anyhow::Result<()> {
    let path = Path::new(name);
    let entry = ENTRIES.iter().find(|entry| entry.name == name);
    if entry.is_some_and(|entry| matches!(entry.place, Place::Images(_))) {
        return show_images(name, as_json);
    }
    let table = match (entry, preset) {
        (None, _) if path.is_file() => csv::read(path, &csv::Format::default())?,
        (_, Some(preset)) => data::load(name, preset)?,
        _ => catalog::entry(name)?.table()?,
    };
    let head = head.min(table.len());
    if as_json {
        let column = |column: &Column| {
            let mut value = json!({"name": column.name, "missing": column.missing()});
            match column.range() {
                Some([least, most]) => (value["min"], value["max"]) = (number(least), number(most)),
                None => value["categories"] = json!(column.categories(&(0..table.len()).collect::<Vec<_>>())),
            }
            value
        };
        let row = |i: usize| -> Value { table.columns.iter().map(|column| cell(column, i)).collect() };
        let classes: serde_json::Map<_, _> =
            table.counts().into_iter().map(|(class, rows)| (class, json!(rows))).collect();
        return output::print_json(&json!({
            "name": table.name, "task": table.task, "rows": table.len(), "features": table.features().count(),
            "target": table.target()?.name, "classes": classes, "missing": table.missing(),
            "columns": table.columns.iter().map(column).collect::<Value>(), "head": (0..head).map(row).collect::<Value>(),
            "licence": entry.map(|entry| entry.licence), "url": entry.map(|entry| entry.url),
        }));
    }
    let mut text = match entry {
        Some(entry) => format!("{}: {}\n\n", entry.name, entry.about),
        None => format!("{name}\n\n"),
    };
    let incomplete = table.len() - table.complete().len();
    let target = table.target()?;
    let mut lines = vec![
        ("rows", grouped(table.len() as u64)),
        ("features", table.features().count().to_string()),
        ("missing", format!("{} values in {} rows", grouped(table.missing() as u64), grouped(incomplete as u64))),
        ("target", target.name.clone()),
    ];
    match target.range() {
        Some([least, most]) => lines.push(("its range", format!("{} to {}", short(least), short(most)))),
        None => {
            let share = |rows: usize| 100.0 * rows as f64 / table.len() as f64;
            let classes = table.counts().into_iter();
            let classes =
                classes.map(|(class, rows)| format!("{class}  {}  ({:.1} %)", grouped(rows as u64), share(rows)));
            lines.push(("classes", classes.collect::<Vec<_>>().join("\n")));
        }
    }
    if let Some(entry) = entry {
        lines.extend([("licence", entry.licence.to_owned()), ("source", entry.url.to_owned())]);
    }
    text += &aligned(&lines.into_iter().map(|(what, text)| (what.to_owned(), text)).collect::<Vec<_>>(), 2);
    let mut columns = Table::new(["column", "holds", "missing"]);
    for column in &table.columns {
        let holds = match column.range() {
            Some([least, most]) => format!("{} to {}", short(least), short(most)),
            None => abridged(&column.categories(&(0..table.len()).collect::<Vec<_>>())),
        };
        columns.row([&column.name, &holds, &column.missing().to_string()]);
    }
    text += &format!("\n{}", columns.text(Rules::Unicode));
    if head > 0 {
        text += "\nThe first rows:\n";
        for i in 0..head {
            text += &format!("  {}\n", table.columns.iter().map(|c| c.text(i)).collect::<Vec<_>>().join(","));
        }
    }
    output::print(&text)
}

fn show_images(name: &str, as_json: bool) -> anyhow::Result<()> {
    let entry = catalog::entry(name)?;
    let parts = data::images(name)?;
    let counts = |set: &data::Dataset| set.counts();
    if as_json {
        let mut value = entry_json(entry);
        value["train"] = json!(counts(&parts.train));
        value["test"] = json!(counts(&parts.test));
        return output::print_json(&value);
    }
    let mut table = Table::new(["class", "to learn from", "to be judged on"]);
    for (class, (train, test)) in counts(&parts.train).into_iter().zip(counts(&parts.test)).enumerate() {
        table.row([parts.train.classes()[class].clone(), grouped(train as u64), grouped(test as u64)]);
    }
    output::print(&format!("{name}: {}\n\n{}", entry.about, table.text(Rules::Unicode)))
}

fn cell(column: &Column, i: usize) -> Value {
    match &column.values {
        Values::Numbers(numbers) => numbers[i].map_or(Value::Null, number),
        Values::Words(words) => json!(words[i]),
    }
}

/// A list of categories that fits a line.
fn abridged(names: &[String]) -> String {
    match names.len() {
        0..=8 => names.join(", "),
        many => format!("{}, … ({many} in all)", names[..6].join(", ")),
    }
}

fn fetch(name: &str, from: Option<&str>, to: Option<&Path>) -> anyhow::Result<()> {
    let to = to.map_or_else(fetch::folder, |folder| Ok(folder.to_owned()))?;
    let source = match from {
        None => Source::Web,
        Some(address) if address.contains("://") => Source::Address(address),
        Some(folder) => Source::Folder(Path::new(folder)),
    };
    let files = fetch::fetch_unless(name, source, &to, &Halt::new(interrupt::flag()))?;
    let lines: String = files.iter().map(|path| format!("{}\n", path.display())).collect();
    output::print(&lines)
}
