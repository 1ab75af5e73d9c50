//! What an experiment found: claims with their verdicts, tables, pictures, notes; as text, Markdown, a page, or JSON.

use crate::error::{Error, Result};
use crate::paper::{PAPERS, Paper, Preset};
use crate::plot::svg::escape;
use crate::report::Report;
use crate::stats::Equivalence;
use crate::table::{Rules, Table};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Whether a claim of a paper holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Holds,
    /// A part of it does, or it does under conditions that the paper does not name.
    Partly,
    /// It does not.
    Fails,
    /// It cannot be told: the paper does not say enough, or less was run than it prints.
    Open,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Partly => "holds in part",
            Verdict::Fails => "does not hold",
            Verdict::Open => "open",
        }
    }

    /// [`Verdict::Holds`] if so, else [`Verdict::Fails`].
    pub fn of(holds: bool) -> Self {
        if holds { Verdict::Holds } else { Verdict::Fails }
    }

    /// By how many of how many cases hold: all, some, none.
    pub fn share(hold: usize, of: usize) -> Self {
        match hold {
            0 => Verdict::Fails,
            n if n < of => Verdict::Partly,
            _ => Verdict::Holds,
        }
    }

    /// Whether something is as good as something else, by how it compares case by case: where all are equivalent or better; in part
    /// where some are; not where none is and some are worse; open where nothing could be told.
    pub fn as_good(judged: &[Equivalence]) -> Self {
        let count = |wanted: &[Equivalence]| judged.iter().filter(|j| wanted.contains(j)).count();
        match (count(&[Equivalence::Equivalent, Equivalence::Better]), count(&[Equivalence::Worse])) {
            (0, 0) => Verdict::Open,
            (good, _) => Verdict::share(good, judged.len()),
        }
    }
}

/// What a finding is held against, and who says it. Words alone are the paper's, printed in the table or figure that the
/// experiment is named after; no words are its silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated {
    /// The paper prints it.
    Printed {
        /// Where: a table, a section, the abstract; empty for what the experiment is named after.
        place: String,
        /// What it prints.
        figure: String,
    },
    /// The paper does not, with a word on it.
    Silent(String),
    /// We ask it ourselves: a bar that was fixed before, or figures of an earlier program of ours.
    Specified(String),
}

impl Stated {
    /// Printed there.
    pub fn printed(place: impl Into<String>, figure: impl Into<String>) -> Self {
        Stated::Printed { place: place.into(), figure: figure.into() }
    }

    /// Asked by us.
    pub fn specified(bar: impl Into<String>) -> Self {
        Stated::Specified(bar.into())
    }

    /// What stands under the paper's name.
    pub fn paper(&self) -> String {
        match self {
            Stated::Printed { place, figure } if place.is_empty() => figure.clone(),
            Stated::Printed { place, figure } => format!("{figure} ({place})"),
            Stated::Silent(word) => word.clone(),
            Stated::Specified(_) => String::new(),
        }
    }

    /// What stands under ours.
    pub fn bar(&self) -> &str {
        if let Stated::Specified(bar) = self { bar } else { "" }
    }
}

impl From<String> for Stated {
    fn from(figure: String) -> Self {
        if figure.is_empty() { Stated::Silent(figure) } else { Stated::printed("", figure) }
    }
}

impl From<&str> for Stated {
    fn from(figure: &str) -> Self {
        figure.to_owned().into()
    }
}

/// A claim of a paper or a question of ours, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What is said, in one sentence.
    pub claim: String,
    /// What it is held against.
    pub stated: Stated,
    /// Our figure.
    pub ours: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Why, in one plain sentence.
    pub because: String,
}

/// A table with a caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Tabled {
    /// What it shows.
    pub caption: String,
    /// The table.
    pub table: Table,
}

/// A picture with a caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// A name that suits a file, without ending.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// An SVG document.
    pub svg: String,
}

/// What an experiment found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// The experiment's name; set by [`Session::run`](crate::paper::Session::run).
    pub experiment: String,
    /// A title.
    pub title: String,
    /// What was done, in a few sentences.
    pub protocol: String,
    /// The claims, the most important one first.
    pub claims: Vec<Claim>,
    /// The tables.
    pub tables: Vec<Tabled>,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// The numbers behind it all, for programs.
    pub data: Map<String, Value>,
    /// Whose numbers were used; set by [`Session::run`](crate::paper::Session::run).
    pub preset: Option<Preset>,
    /// Whether fewer seeds were used; set by [`Session::run`](crate::paper::Session::run).
    pub quick: bool,
    /// Seconds it took; set by [`Session::run`](crate::paper::Session::run).
    pub seconds: f64,
}

impl Findings {
    /// No findings yet.
    pub fn new(title: impl Into<String>) -> Self {
        Findings { title: title.into(), ..Findings::default() }
    }

    /// Says what was done.
    pub fn protocol(&mut self, protocol: impl Into<String>) -> &mut Self {
        self.protocol = protocol.into();
        self
    }

    /// Adds a claim: the sentence, what it is held against, our figure, whether it holds, and why.
    pub fn claim(
        &mut self,
        claim: impl Into<String>,
        stated: impl Into<Stated>,
        ours: impl Into<String>,
        verdict: Verdict,
        because: impl Into<String>,
    ) -> &mut Self {
        let (claim, stated, ours, because) = (claim.into(), stated.into(), ours.into(), because.into());
        self.claims.push(Claim { claim, stated, ours, verdict, because });
        self
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table, caption: impl Into<String>) -> &mut Self {
        self.tables.push(Tabled { table, caption: caption.into() });
        self
    }

    /// Adds a picture.
    pub fn picture(&mut self, name: impl Into<String>, svg: String, caption: impl Into<String>) -> &mut Self {
        self.pictures.push(Picture { name: name.into(), caption: caption.into(), svg });
        self
    }

    /// Adds a note.
    pub fn note(&mut self, note: impl Into<String>) -> &mut Self {
        self.notes.push(note.into());
        self
    }

    /// Notes which data sets are not here, if any, and how to bring them.
    pub fn left_out(&mut self, missing: &[&str]) -> &mut Self {
        if !missing.is_empty() {
            let names = missing.join(", ");
            self.note(format!(
                "Left out because they are not here: {names}. Bring them with `swarmgrad data fetch NAME`."
            ));
        }
        self
    }

    /// Keeps numbers for programs. JSON has no infinity and no NaN: they become null.
    pub fn data(&mut self, name: impl Into<String>, value: impl Into<Value>) -> &mut Self {
        self.data.insert(name.into(), value.into());
        self
    }

    /// Whether nothing stands under the name of a paper that its readers cannot find there.
    ///
    /// # Errors
    /// The claim whose figure has no place in a paper of which only the abstract can be had.
    pub fn check(&self, paper: &Paper) -> Result<()> {
        let lost = |c: &&Claim| matches!(&c.stated, Stated::Printed { place, .. } if place.is_empty());
        match self.claims.iter().find(lost).filter(|_| !paper.tables) {
            Some(claim) => Err(Error::Value {
                name: format!("the paper's figure of '{}'", claim.claim),
                value: claim.stated.paper(),
                rule: format!("must say where {} prints it, or that it is ours: its tables cannot be had", paper.name),
            }),
            None => Ok(()),
        }
    }

    /// The name, the preset and whether it was quick, in a line.
    fn head(&self) -> String {
        let preset = self.preset.map(|preset| format!(", preset {preset}")).unwrap_or_default();
        format!("{}{preset}{}", self.experiment, if self.quick { ", quick" } else { "" })
    }

    /// As text for a terminal of so many columns.
    pub fn text(&self, columns: usize) -> String {
        let columns = columns.clamp(40, 120);
        let mut out = format!("{}\n{}\n\n", self.title, self.head());
        if !self.protocol.is_empty() {
            out += &format!("{}\n", wrapped(&self.protocol, columns, "", ""));
        }
        for Tabled { caption, table } in &self.tables {
            out += &format!("{}\n{}\n", wrapped(caption, columns, "", ""), table.text(Rules::Unicode));
        }
        for claim in &self.claims {
            out += &wrapped(&format!("{}: {}", claim.verdict.words().to_uppercase(), claim.claim), columns, "", "");
            let (paper, bar) = (claim.stated.paper(), claim.stated.bar());
            let said = [("paper", &paper[..]), ("bar", bar), ("ours", &claim.ours), ("why", &claim.because)];
            for (name, text) in said {
                if !text.is_empty() {
                    out += &wrapped(text, columns, &format!("  {name:<6} "), "         ");
                }
            }
            out.push('\n');
        }
        for note in &self.notes {
            out += &wrapped(note, columns, "Note: ", "      ");
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
        out
    }

    /// As Markdown, under a heading of the second level. `pictures` is the folder of the pictures' files, `NAME.svg`, as it is
    /// to stand in links; without one there are no pictures.
    pub fn markdown(&self, pictures: Option<&str>) -> String {
        let mut out = format!("## {}\n\n`{}`\n\n", self.title, self.head());
        if !self.protocol.is_empty() {
            out += &format!("{}\n\n", self.protocol);
        }
        // What we ask ourselves has a column of its own, where there is any.
        let bars = self.claims.iter().any(|c| !c.stated.bar().is_empty());
        let column = |shown: bool, cell: &str| shown.then(|| cell.to_owned());
        let row = |[claim, paper, bar, ours, verdict, why]: [&str; 6]| {
            let cells = [column(true, claim), column(true, paper), column(bars, bar)];
            cells.into_iter().chain([ours, verdict, why].map(|cell| column(true, cell))).flatten()
        };
        let mut claims = Table::new(row(["claim", "paper", "our bar", "ours", "verdict", "why"]));
        for c in &self.claims {
            let verdict = format!("**{}**", c.verdict.words());
            claims.row(row([&c.claim, &c.stated.paper(), c.stated.bar(), &c.ours, &verdict, &c.because]));
        }
        if !self.claims.is_empty() {
            out += &format!("{}\n", claims.markdown());
        }
        for Tabled { caption, table } in &self.tables {
            out += &format!("{caption}\n\n{}\n", table.markdown());
        }
        if let Some(folder) = pictures {
            let folder = if folder.is_empty() { "." } else { folder };
            for Picture { name, caption, .. } in &self.pictures {
                out += &format!("![{caption}]({folder}/{name}.svg)\n\n");
            }
        }
        for note in &self.notes {
            out += &format!("- {note}\n");
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
        out
    }

    /// As a section of a page.
    pub fn section(&self, page: &mut Report) {
        page.anchored_heading(&self.title, &anchor(&self.experiment));
        page.aside(&self.head());
        page.paragraph(&self.protocol);
        for c in &self.claims {
            let class = match c.verdict {
                Verdict::Holds => "holds",
                Verdict::Partly => "partly",
                Verdict::Fails => "fails",
                Verdict::Open => "open",
            };
            let part = |name: &str, text: &str| match text {
                "" => String::new(),
                text => format!("<dt>{name}</dt><dd>{}</dd>", escape(text)),
            };
            page.markup(&format!(
                "<div class=\"claim {class}\"><p><span class=\"verdict\">{}</span> {}</p>\n<dl>{}{}{}{}</dl></div>\n",
                c.verdict.words(),
                escape(&c.claim),
                part("paper", &c.stated.paper()),
                part("our bar", c.stated.bar()),
                part("ours", &c.ours),
                part("why", &c.because)
            ));
        }
        self.tables.iter().for_each(|t| {
            page.table(&t.table, &t.caption);
        });
        self.pictures.iter().for_each(|p| {
            page.picture(&p.svg, &p.caption);
        });
        if !self.notes.is_empty() {
            let notes: String = self.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
            page.markup(&format!("<ul class=\"notes\">\n{notes}</ul>\n"));
        }
    }

    /// As JSON: everything but the pictures' drawings.
    pub fn json(&self) -> Value {
        let tables = self.tables.iter();
        let tables =
            tables.map(|t| json!({"caption": t.caption, "headers": t.table.headers(), "rows": t.table.rows()}));
        let pictures = self.pictures.iter().map(|p| json!({"name": p.name, "caption": p.caption}));
        let claims = self.claims.iter().map(|c| {
            let (paper, bar) = (c.stated.paper(), c.stated.bar());
            json!({"claim": c.claim, "paper": paper, "bar": bar, "ours": c.ours, "verdict": c.verdict, "because": c.because})
        });
        json!({
            "experiment": self.experiment, "title": self.title, "preset": self.preset, "quick": self.quick,
            "protocol": self.protocol, "claims": claims.collect::<Vec<_>>(), "tables": tables.collect::<Vec<_>>(),
            "pictures": pictures.collect::<Vec<_>>(), "notes": self.notes, "data": self.data, "seconds": self.seconds,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// A self-contained page: all claims at a glance, then a section for each experiment.
pub fn page(findings: &[Findings]) -> Report {
    let about = |paper: &&Paper| findings.iter().any(|f| f.experiment.split('/').next() == Some(paper.name));
    let papers: Vec<&Paper> = PAPERS.iter().filter(about).collect();
    let titles: Vec<&str> = papers.iter().map(|paper| paper.title).collect();
    let mut page = Report::new(format!("Computed again: {}", titles.join("; ")));
    papers.iter().for_each(|paper| {
        page.aside(paper.source);
    });
    let all = || findings.iter().flat_map(|f| &f.claims);
    let verdicts = [Verdict::Holds, Verdict::Partly, Verdict::Fails, Verdict::Open];
    let counts: Vec<String> = verdicts
        .iter()
        .map(|&v| (v, all().filter(|c| c.verdict == v).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(v, n)| {
            format!(
                "{n} {}",
                match (v, n) {
                    (Verdict::Holds, 1) => "holds",
                    (Verdict::Holds, _) => "hold",
                    (Verdict::Partly, 1) => "holds in part",
                    (Verdict::Partly, _) => "hold in part",
                    (Verdict::Fails, 1) => "does not hold",
                    (Verdict::Fails, _) => "do not hold",
                    (Verdict::Open, 1) => "is open",
                    (Verdict::Open, _) => "are open",
                }
            )
        })
        .collect();
    if !counts.is_empty() {
        page.paragraph(&format!("Of {} claims {}.", all().count(), counts.join(", ")));
    }
    let mut list = String::new();
    for f in findings {
        let claims: String =
            f.claims.iter().map(|c| format!("<li><b>{}</b>: {}</li>\n", c.verdict.words(), escape(&c.claim))).collect();
        list +=
            &format!("<li><a href=\"#{}\">{}</a>\n<ul>\n{claims}</ul></li>\n", anchor(&f.experiment), escape(&f.title));
    }
    page.markup(&format!("<ul class=\"contents\">\n{list}</ul>\n"));
    findings.iter().for_each(|f| f.section(&mut page));
    page.paragraph(&format!("Made by swarmgrad {}.", env!("CARGO_PKG_VERSION")));
    page
}

/// An id for a heading.
fn anchor(name: &str) -> String {
    name.replace('/', "-")
}

/// Text in lines of at most so many columns, the first after `first`, the others after `rest`; ends in a newline.
fn wrapped(text: &str, columns: usize, first: &str, rest: &str) -> String {
    let (mut out, mut line, mut empty) = (String::new(), first.to_owned(), true);
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            // A per-cent sign stays with its number.
            Some(last) if word.starts_with('%') => *last += &format!(" {word}"),
            _ => words.push(word.to_owned()),
        }
    }
    for word in &words {
        if !empty && line.chars().count() + 1 + word.chars().count() > columns {
            out += &format!("{line}\n");
            (line, empty) = (rest.to_owned(), true);
        }
        if !empty {
            line.push(' ');
        }
        line += word;
        empty = false;
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_under_itself() {
        assert_eq!(wrapped("one two three", 16, "  ours   ", "         "), "  ours   one two\n         three\n");
        assert_eq!(wrapped("", 40, "", ""), "\n");
        assert_eq!(wrapped("of 100 % more", 7, "", ""), "of\n100 %\nmore\n");
    }

    #[test]
    fn findings_speak_every_language() {
        let mut f = Findings::new("Table <1>");
        f.protocol("Ten runs.").claim("It is fast", "9", "90", Verdict::Fails, "it is slow").note("a & b");
        f.table(Table::new(["a"]), "Cells.");
        f.experiment = "adaswarm/table-1".into();
        assert!(f.text(80).contains("DOES NOT HOLD: It is fast\n  paper  9\n"), "{}", f.text(80));
        assert!(
            f.markdown(None).contains("| It is fast | 9 | 90 | **does not hold** | it is slow |"),
            "{}",
            f.markdown(None)
        );
        let html = page(&[f.clone()]).html();
        assert!(
            html.contains("Table &lt;1&gt;")
                && html.contains("a &amp; b")
                && html.contains("Of 1 claims 1 does not hold")
        );
        assert_eq!(
            (&f.json()["claims"][0]["verdict"], &f.json()["claims"][0]["paper"]),
            (&json!("fails"), &json!("9"))
        );
    }

    #[test]
    fn nothing_of_ours_stands_under_the_papers_name() {
        let paper = |name: &str| PAPERS.iter().find(|paper| paper.name == name).unwrap();
        let mut f = Findings::new("Ablation");
        f.claim("It pays", Stated::specified("2 to 5"), "5 of 5", Verdict::Holds, "by our count");
        f.claim(
            "It is better",
            Stated::printed("abstract", "in most scenarios"),
            "18 of 72",
            Verdict::Fails,
            "counted",
        );
        let markdown = f.markdown(None);
        assert!(markdown.contains("| claim | paper | our bar | ours | verdict | why |"), "{markdown}");
        assert!(markdown.contains("| It pays |  | 2 to 5 | 5 of 5 |"), "{markdown}");
        assert!(markdown.contains("| It is better | in most scenarios (abstract) |  | 18 of 72 |"), "{markdown}");
        assert!(
            f.text(80).contains("  bar    2 to 5\n") && f.text(80).contains("  paper  in most scenarios (abstract)\n")
        );
        assert_eq!((&f.json()["claims"][0]["paper"], &f.json()["claims"][0]["bar"]), (&json!(""), &json!("2 to 5")));
        assert!(page(&[f.clone()]).html().contains("<dt>our bar</dt><dd>2 to 5</dd>"));
        f.check(paper("evograd")).unwrap();
        // A figure without a place is the one of the table after which the experiment is named: there must be one.
        f.claim("Secants pay", "from 0.7 to 1e-27", "6 won", Verdict::Holds, "");
        f.check(paper("adaswarm")).unwrap();
        let why = f.check(paper("evograd")).unwrap_err().to_string();
        assert!(why.contains("'Secants pay' = from 0.7 to 1e-27: must say where evograd prints it"), "{why}");
    }
}
