//! Several charts on one sheet.

use super::Chart;

/// Charts in rows on one sheet, as an SVG. A row that is not full stands on the right.
pub fn sheet(panels: &[Vec<Chart>]) -> String {
    let width = panels.iter().map(|row| row.iter().map(|chart| chart.width).sum::<f64>()).fold(0.0, f64::max);
    let height: f64 = panels.iter().map(|row| row.iter().map(|chart| chart.height).fold(0.0, f64::max)).sum();
    let (mut body, mut y, mut k) = (String::new(), 0.0, 0);
    for row in panels {
        // A row that is not full stands on the right, with the test rows.
        let mut x = width - row.iter().map(|chart| chart.width).sum::<f64>();
        for chart in row {
            // A name is one for the whole document.
            let part = chart.svg().replace("id=\"frame\"", &format!("id=\"frame{k}\""));
            let part = part.replace("url(#frame)", &format!("url(#frame{k})"));
            body += &part.replacen("<svg ", &format!("<svg x=\"{x}\" y=\"{y}\" "), 1);
            x += chart.width;
            k += 1;
        }
        y += row.iter().map(|chart| chart.height).fold(0.0, f64::max);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}
