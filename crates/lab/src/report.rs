//! A small self-contained page: title, headings, paragraphs, tables, inlined pictures. No network, no scripts: its policy forbids both.

use crate::error::Result;
use crate::plot::svg::escape;
use crate::table::Table;
use std::path::Path;
use swarmgrad::write_whole;

/// A page in the making.
///
/// ```
/// use swarmgrad_lab::{Report, Table};
/// let mut page = Report::new("Sphere in ten dimensions");
/// page.paragraph("Twenty runs of each method.").heading("Results").table(&Table::new(["method", "median"]), "Medians.");
/// assert!(page.html().starts_with("<!doctype html>"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    title: String,
    body: String,
    pictures: usize,
    tables: usize,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2328;--soft:#5b636d;--line:#d7dbe0;--ground:#ffffff;--stripe:#f5f7f9}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#a3abb5;--line:#3a4149;--ground:#16191d;--stripe:#1e2227}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.8rem;line-height:1.25;margin:0 0 1.2rem}
h2{font-size:1.3rem;margin:2.4rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
p{margin:.7rem 0;max-width:46rem}
figure{margin:1.6rem 0}
figcaption{color:var(--soft);font-size:.9rem;margin-top:.5rem;max-width:46rem}
.picture{background:#fff;border:1px solid var(--line);border-radius:8px;padding:.5rem;overflow-x:auto;width:fit-content;max-width:100%}
.picture svg,.picture img{display:block;max-width:100%;height:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .8rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{border-bottom:2px solid var(--soft)}
tbody tr:nth-child(even){background:var(--stripe)}
.number{text-align:right}
pre{background:var(--stripe);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;overflow-x:auto;font-size:.88rem;line-height:1.45}
.aside{color:var(--soft);font-size:.9rem;margin-top:0}
.claim{border-left:4px solid var(--soft);padding:.1rem 0 .1rem .9rem;margin:1rem 0;max-width:46rem}
.claim p{margin:.2rem 0}
.claim dl{display:grid;grid-template-columns:3.5rem 1fr;gap:.1rem .6rem;margin:.3rem 0;font-size:.92rem}
.claim dt{color:var(--soft)}
.claim dd{margin:0}
.verdict{font-weight:600;font-size:.8rem;padding:.1rem .5rem;border-radius:4px;color:#fff;background:#5b636d;white-space:nowrap}
.holds{border-color:#1a7f52}.holds .verdict{background:#1a7f52}
.partly{border-color:#9a6b00}.partly .verdict{background:#9a6b00}
.fails{border-color:#b3361e}.fails .verdict{background:#b3361e}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:1rem 0}
.facts dt{color:var(--soft)}
.aside a,td a{color:inherit}
.facts dd{margin:0;overflow-wrap:anywhere}
.contents li{margin:.15rem 0;max-width:46rem}
.contents ul{font-size:.92rem;color:var(--soft)}
.contents a{color:inherit}
@media print{.picture{border:0;padding:0}figure{break-inside:avoid}}
";

/// What a browser may load for the page: nothing but what stands in it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// By which a page is known as one of ours.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"swarmgrad\">";

impl Report {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Report { title: title.into(), body: String::new(), pictures: 0, tables: 0 }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        self.body += &format!("<h2>{}</h2>\n", escape(text));
        self
    }

    /// Adds a heading that links can lead to: `#id`.
    pub fn anchored_heading(&mut self, text: &str, id: &str) -> &mut Self {
        self.body += &format!("<h2 id=\"{}\">{}</h2>\n", escape(id), escape(text));
        self
    }

    /// Adds a small grey line.
    pub fn aside(&mut self, text: &str) -> &mut Self {
        self.body += &format!("<p class=\"aside\">{}</p>\n", escape(text));
        self
    }

    /// Adds a line that leads elsewhere.
    pub fn link(&mut self, text: &str, to: &str) -> &mut Self {
        self.body += &format!("<p class=\"aside\"><a href=\"{}\">{}</a></p>\n", escape(to), escape(text));
        self
    }

    /// Adds a list of names and what they are.
    pub fn facts(&mut self, facts: &[(String, String)]) -> &mut Self {
        let line = |(name, text): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(text));
        self.body += &format!("<dl class=\"facts\">\n{}</dl>\n", facts.iter().map(line).collect::<String>());
        self
    }

    /// Adds markup as it is.
    pub(crate) fn markup(&mut self, markup: &str) -> &mut Self {
        self.body += markup;
        self
    }

    /// Adds paragraphs; an empty line parts them.
    pub fn paragraph(&mut self, text: &str) -> &mut Self {
        for part in text.split("\n\n").filter(|p| !p.trim().is_empty()) {
            self.body += &format!("<p>{}</p>\n", escape(part.trim()));
        }
        self
    }

    /// Adds text as it is, in a fixed-width font.
    pub fn code(&mut self, text: &str) -> &mut Self {
        self.body += &format!("<pre>{}</pre>\n", escape(text));
        self
    }

    /// Adds a table with a numbered caption.
    pub fn table(&mut self, table: &Table, caption: &str) -> &mut Self {
        self.tables += 1;
        self.body += &format!(
            "<figure>\n<div class=\"scroll\">{}</div>\n<figcaption>Table {}. {}</figcaption>\n</figure>\n",
            table.html(),
            self.tables,
            escape(caption)
        );
        self
    }

    /// Adds an SVG document as a picture with a numbered caption. Its ids are renamed so that pictures do not disturb each other.
    pub fn picture(&mut self, svg: &str, caption: &str) -> &mut Self {
        let prefix = format!("p{}-", self.pictures + 1);
        let svg = svg.trim_start_matches('\u{feff}').trim_start();
        let svg = if svg.starts_with("<?") { svg.split_once("?>").map_or(svg, |s| s.1) } else { svg };
        let svg = svg
            .replace(" id=\"", &format!(" id=\"{prefix}"))
            .replace("url(#", &format!("url(#{prefix}"))
            .replace("href=\"#", &format!("href=\"#{prefix}"));
        self.figure(&svg, caption)
    }

    /// Adds a GIF (for instance an animation) with a numbered caption, embedded in the page.
    pub fn gif(&mut self, bytes: &[u8], caption: &str) -> &mut Self {
        let image = format!("<img alt=\"{}\" src=\"data:image/gif;base64,{}\">", escape(caption), base64(bytes));
        self.figure(&image, caption)
    }

    fn figure(&mut self, markup: &str, caption: &str) -> &mut Self {
        self.pictures += 1;
        self.body += &format!(
            "<figure>\n<div class=\"picture\">{}</div>\n<figcaption>Figure {}. {}</figcaption>\n</figure>\n",
            markup.trim(),
            self.pictures,
            escape(caption)
        );
        self
    }

    /// The page.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n{GENERATOR}\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}</main>\n</body>\n</html>\n",
            self.body
        )
    }

    /// Writes the page to a file.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(write_whole(path.as_ref(), self.html().as_bytes())?)
    }
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().enumerate().fold(0_u32, |w, (i, &b)| w | u32::from(b) << (16 - 8 * i));
        for i in 0..4 {
            out.push(if i <= three.len() { DIGITS[(word >> (18 - 6 * i) & 63) as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_of_the_standard() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
