//! Runs as pictures and pages: what they show, what they must not do, and what is said where there is nothing to be drawn.

use crate::harness::{Folder, good, run, wrong};
use std::path::Path;

/// A run of a test problem, kept in a journal.
fn journal(folder: &Folder, name: &str, more: &[&str]) -> String {
    let path = folder.path(name);
    good(&[&["minimize", "-q", "--seed", "3", "--record", &path][..], more].concat());
    path
}

/// Whether a text is balanced markup, as far as that can be seen without a parser: every element that is opened is closed.
fn is_balanced(text: &str) -> bool {
    ["svg", "table", "figure", "dl", "path", "g", "text"].iter().all(|name| {
        let opened = text.matches(&format!("<{name} ")).count() + text.matches(&format!("<{name}>")).count();
        let closed = text.matches(&format!("</{name}>")).count();
        // A path closes itself.
        if *name == "path" { closed == 0 } else { opened == closed }
    })
}

#[test]
fn a_journal_is_a_page_and_a_picture() {
    let folder = Folder::new("plot-one");
    let args = ["rosenbrock", "--bounds", "left=-2:2,right=-2:2,other=-2:2", "-m", "de", "-n", "600", "--json"];
    let path = folder.path("run.jsonl");
    let found = good(&[&["minimize", "--record", &path][..], &args].concat()).json();
    let said = good(&["plot", &path]).out;
    assert!(said.contains("600 evaluations, best value ") && said.contains("run.html"), "{said}");
    let page = folder.read("run.html");
    assert!(page.starts_with("<!doctype html>") && is_balanced(&page), "{page:.300}");
    assert!(page.contains("<title>rosenbrock: de</title>") && page.contains("600 of 600"));
    for text in [
        "default-src 'none'",
        "prefers-color-scheme:dark",
        "left = ",
        "evaluations = 600",
        "method = &quot;de&quot;",
        "<dd>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script") && page.len() < 2_000_000, "{}", page.len());
    // The best value stands there as the run found it, and why it ended.
    let best = found["fun"].as_f64().unwrap();
    let shown = said.split("best value ").nth(1).unwrap().trim_end().split('\n').next().unwrap().to_owned();
    assert!((shown.parse::<f64>().unwrap() / best - 1.0).abs() < 1e-5 && page.contains(&format!("<dd>{shown}</dd>")));
    assert!(page.contains(found["message"].as_str().unwrap()));
    // Every variable has a slice, an axis and a bar.
    assert!(page.matches(">right<").count() >= 4, "{}", page.matches(">right<").count());
    // A second time the page is written again; another name, another form.
    good(&["plot", &path]);
    let (svg, png) = (folder.path("run.svg"), folder.path("run.PNG"));
    good(&["plot", &path, "--output", &svg]);
    good(&["plot", &path, "--out", &png]);
    let text = folder.read("run.svg");
    assert!(text.starts_with("<svg") && is_balanced(&text) && text.contains("Importance") && text.contains("600"));
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    // A journal of which the end is torn is drawn as far as it goes.
    let whole = std::fs::read(&path).unwrap();
    let torn = folder.path("torn.jsonl");
    std::fs::write(&torn, &whole[..whole.len() / 2]).unwrap();
    let said = good(&["plot", &torn]).out;
    assert!(!said.contains("600 evaluations"), "{said}");
    let page = folder.read("torn.html");
    assert!(page.contains("is not whole") && page.contains("holds no result"));
}

#[test]
fn several_journals_are_laid_over_each_other() {
    let folder = Folder::new("plot-more");
    let first = journal(&folder, "first.jsonl", &["sphere", "-m", "pso", "-n", "400"]);
    let second = journal(&folder, "second.jsonl", &["sphere", "-m", "de", "-n", "300"]);
    let said = good(&["plot", &first, &second]).out;
    assert!(
        said.contains("runs.html") && said.contains("400 evaluations") && said.contains("300 evaluations"),
        "{said}"
    );
    let page = folder.read("runs.html");
    assert!(is_balanced(&page) && page.contains("<title>2 runs</title>"));
    // Both in the legend of the curves, in the table, and as headings.
    for name in ["first: pso", "second: de"] {
        assert!(page.matches(&format!(">{name}<")).count() >= 3, "{name}");
    }
    let svg = folder.path("both.svg");
    good(&["plot", &first, &second, "-o", &svg]);
    let text = folder.read("both.svg");
    assert!(text.contains(">first: pso<") && text.contains(">second: de<") && !text.contains("Importance"));
}

#[cfg(unix)]
#[test]
fn what_a_journal_says_is_text_and_nothing_else() {
    let folder = Folder::new("plot-escape");
    let path = folder.path("run.jsonl");
    let exec = "n=0; while read line; do sleep 0.004; n=$((n+1)); if [ $((n % 7)) = 0 ]; then echo '{\"error\": \"<img src=x onerror=alert(1)>\"}'; \
                else echo \"{\\\"value\\\": $n, \\\"c\\\": {\\\"load\\\": $((n % 3))}}\"; fi; done # <script>alert(2)</script>";
    let args = [
        "minimize",
        "-q",
        "--exec",
        exec,
        "--var",
        "a<b>=-1:1",
        "--var",
        "act=choice:<i>,tanh,relu",
        "--var",
        "on=flag",
    ];
    let more = ["--constraint", "load <= 0.5", "-m", "random_search", "-n", "90", "-w", "2", "--record", &path];
    good(&[&args[..], &more].concat());
    let said = good(&["plot", &path]).out;
    assert!(said.contains("90 evaluations, 1") && said.contains(" failed, "), "{said}");
    let page = folder.read("run.html");
    for bad in ["<script", "<img", "<i>", "a<b>"] {
        assert!(!page.contains(bad), "{bad}");
    }
    for good in [
        "&lt;script&gt;alert(2)",
        "&lt;img src=x",
        ">rejected<",
        "infeasible",
        "a&lt;b&gt;",
        "Workers: busy",
        "the first feasible point",
    ] {
        assert!(page.contains(good), "{good}");
    }
    assert!(page.contains("<dt>feasible</dt><dd>yes</dd>") && is_balanced(&page));
    let svg = folder.path("run.svg");
    good(&["plot", &path, "-o", &svg]);
    assert!(!folder.read("run.svg").contains("<i>"));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = Folder::new("plot-wrong");
    let path = journal(&folder, "run.jsonl", &["sphere", "-n", "50"]);
    let (empty, other) = (folder.write("empty.jsonl", ""), folder.write("other.jsonl", "{\"a\": 1}\n"));
    let text = std::fs::read_to_string(&path).unwrap();
    let damaged = folder.write("damaged.jsonl", &text.replacen("\"value\":", "\"value\":1", 1));
    let header = folder.write("header.jsonl", &(text.lines().next().unwrap().to_owned() + "\n"));
    let missing = folder.path("missing.jsonl");
    for (path, why) in [
        (&missing, "No such file"),
        (&empty, "it is empty"),
        (&other, "no journal of swarmgrad"),
        (&damaged, "line 2 is damaged"),
        (&header, "holds no evaluation yet"),
    ] {
        let text = wrong(&["plot", path]);
        assert!(text.contains(why) && text.contains(path.as_str()), "{why}: {text}");
        assert!(!Path::new(path).with_extension("html").exists(), "{path}");
    }
    for (output, why) in
        [("run.pdf", "must end in .html, .svg or .png"), ("run", "must end in"), ("no/where.svg", "no")]
    {
        let text = wrong(&["plot", &path, "-o", &folder.path(output)]);
        assert!(text.contains(why) && text.contains(output), "{text}");
    }
    // Neither the journal nor a page of the user's own is overwritten.
    let twin = folder.path("run.svg");
    std::fs::copy(&path, &twin).unwrap();
    assert!(wrong(&["plot", &twin, "-o", &twin]).contains("to be read"));
    folder.write("run.html", "<html>mine</html>");
    assert!(wrong(&["plot", &path]).contains("no page of swarmgrad"));
    assert_eq!(folder.read("run.html"), "<html>mine</html>");
    good(&["plot", &path, "-o", &folder.path("run.html")]);
    assert_eq!(run(&["plot"]).code, Some(2));
}

#[test]
fn minimize_draws_its_run_as_plot_does() {
    let folder = Folder::new("plot-minimize");
    let [page, picture, record] = ["end.html", "end.svg", "run.jsonl"].map(|name| folder.path(name));
    let args = ["minimize", "ackley", "-d", "3", "-m", "pso", "-n", "500", "--seed", "1"];
    let said = good(&[&args[..], &["--plot", &page, "--record", &record]].concat()).out;
    assert!(said.contains("Drawn: ") && said.contains("end.html"), "{said}");
    good(&["plot", &record]);
    // The same but for the times, which a page of the journal has too.
    let (drawn, read) = (folder.read("end.html"), folder.read("run.html"));
    assert_eq!(drawn, read);
    // Without a journal the pictures are there all the same.
    good(&[&args[..], &["--plot", &picture, "-q"]].concat());
    let text = folder.read("end.svg");
    assert!(text.contains("Importance") && text.contains("500") && is_balanced(&text));
    // Of several objectives a picture is the front, and the page has it too.
    let zdt = ["minimize", "zdt1", "-d", "3", "-n", "300", "-q", "--plot"];
    good(&[&zdt[..], &[&folder.path("front.svg")]].concat());
    good(&[&zdt[..], &[&folder.path("front.html")]].concat());
    assert!(folder.read("front.svg").contains("points after 300 evaluations"));
    let page = folder.read("front.html");
    assert!(page.contains("Front: ") && page.contains("best in the first objective"));
    let text = wrong(&["minimize", "sphere", "--plot", "x.gif"]);
    assert!(text.contains("must end in .html, .svg or .png"), "{text}");
}
