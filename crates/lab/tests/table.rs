//! Tables and numbers as text, and the page.

use swarmgrad_lab::table::{Rules, Table, fixed, significant};
use swarmgrad_lab::{Report, plot};

#[test]
fn significant_digits() {
    let expected = [
        (1.234e-5, 3, "1.23e-5"),
        (0.012, 3, "0.012"),
        (12345.0, 3, "12345"),
        (12345.678, 3, "12346"),
        (123_456.7, 2, "123457"),
        (999_999.4, 3, "999999"),
        (999_999.7, 3, "1e6"),
        (1.5e6, 3, "1.5e6"),
        (1e-5, 3, "1e-5"),
        (0.00123456, 3, "0.00123"),
        (0.00099999, 3, "0.001"),
        (9.996, 3, "10"),
        (3.0, 3, "3"),
        (0.1 + 0.2, 3, "0.3"),
        (-2.5, 1, "-2"),
        (-2.56e-9, 2, "-2.6e-9"),
        (0.0, 3, "0"),
        (-0.0, 3, "0"),
        (f64::INFINITY, 3, "inf"),
        (f64::NEG_INFINITY, 3, "-inf"),
        (f64::NAN, 3, "nan"),
        (5e-324, 3, "4.94e-324"),
        (f64::MAX, 3, "1.8e308"),
    ];
    for (value, digits, text) in expected {
        assert_eq!(significant(value, digits), text, "{value:e}");
    }
    assert_eq!(fixed(2.0 / 3.0, 2), "0.67");
    assert_eq!(fixed(f64::INFINITY, 2), "inf");
}

fn table() -> Table {
    let mut table = Table::new(["method", "median", "note"]);
    table.row(["pso", "1.2e-3", "a | b"]);
    table.row(["Größe", "-", "say \"hi\", twice\nor more"]);
    table.row(["cbo", "inf"]);
    table
}

#[test]
fn text_is_aligned() {
    let expected = "method  median  note\n\
                    ------  ------  -----------------------\n\
                    pso     1.2e-3  a | b\n\
                    Größe        -  say \"hi\", twice or more\n\
                    cbo        inf\n";
    assert_eq!(table().text(Rules::Ascii), expected);
    let (header, rest) = expected.split_once("\n").unwrap();
    let (rule, rows) = rest.split_once("\n").unwrap();
    assert_eq!(table().text(Rules::Unicode), format!("{header}\n{}\n{rows}", rule.replace('-', "─")));
}

#[test]
fn markdown_and_csv_escape() {
    assert_eq!(
        table().markdown(),
        "| method | median | note |\n| --- | ---: | --- |\n| pso | 1.2e-3 | a \\| b |\n\
         | Größe | - | say \"hi\", twice<br>or more |\n| cbo | inf |  |\n"
    );
    assert_eq!(
        table().csv(),
        "method,median,note\npso,1.2e-3,a | b\nGröße,-,\"say \"\"hi\"\", twice\nor more\"\ncbo,inf,\n"
    );
}

#[test]
fn a_long_row_widens_the_table() {
    let mut table = Table::new(["a"]);
    table.row(["1"]).row(["2", "3"]);
    assert_eq!(table.csv(), "a,\n1,\n2,3\n");
    assert!(table.numeric(0) && table.numeric(1));
    assert!(!Table::new(["a"]).numeric(0), "nothing is no number");
}

#[test]
fn the_page_is_self_contained_and_escapes() {
    let chart = plot::Chart::new("A & B", plot::Axis::linear("x"), plot::Axis::linear("y")).svg();
    let mut page = Report::new("Runs <1> & more");
    page.heading("One").paragraph("a < b\n\nsecond").table(&table(), "The \"table\".").picture(&chart, "Once.");
    page.picture(&chart, "Twice.").gif(b"GIF89a", "Three times.").code("let x = 1 < 2;");
    let html = page.html();
    assert!(html.contains("<title>Runs &lt;1&gt; &amp; more</title>"));
    assert!(html.contains("<p>a &lt; b</p>\n<p>second</p>"));
    assert!(html.contains("Table 1. ") && html.contains("Figure 2. Twice.") && html.contains("Figure 3. "));
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("://") && !outside.contains("<script"), "nothing from the network");
    // Ids are distinct, and what refers to them still does.
    assert!(html.contains("id=\"p1-frame\"") && html.contains("id=\"p2-frame\""));
    assert!(html.contains("url(#p1-frame)") && html.contains("url(#p2-frame)") && !html.contains("url(#frame)"));
    // Apart from the doctype and the elements without an end the page is well-formed.
    let body = &html[html.find("<body>").unwrap()..html.find("</html>").unwrap()];
    let (before, image) = body.split_once("<img").unwrap();
    resvg::usvg::roxmltree::Document::parse(&format!("{before}{}", image.split_once('>').unwrap().1)).unwrap();
}
