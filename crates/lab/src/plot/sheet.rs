//! Several pictures on one sheet.

use super::Chart;

/// Charts in rows on one sheet, as an SVG. A row that is not full stands on the right.
pub fn sheet(panels: &[Vec<Chart>]) -> String {
    let rows: Vec<Vec<String>> = panels.iter().map(|row| row.iter().map(Chart::svg).collect()).collect();
    // A row that is not full stands on the right, with the test rows.
    arranged(&rows, |room| room)
}

/// Pictures of this crate in rows on one sheet, as an SVG. A row that is not full stands on the left.
///
/// ```
/// use swarmgrad_lab::plot::{Axis, Chart, rows};
/// let chart = Chart::new("Squares", Axis::linear("x"), Axis::linear("y")).svg();
/// assert!(rows(&[vec![chart.clone(), chart]]).starts_with("<svg"));
/// ```
pub fn rows(pictures: &[Vec<String>]) -> String {
    arranged(pictures, |_| 0.0)
}

/// Width and height of a picture that [`Svg`](super::svg::Svg) has written.
fn size(svg: &str) -> (f64, f64) {
    let number = |name: &str| svg.split_once(name).and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
    (number(" width=\"").unwrap_or(0.0), number(" height=\"").unwrap_or(0.0))
}

/// `begin` says where a row begins that leaves so much room.
fn arranged(pictures: &[Vec<String>], begin: impl Fn(f64) -> f64) -> String {
    let sizes: Vec<Vec<(f64, f64)>> = pictures.iter().map(|row| row.iter().map(|svg| size(svg)).collect()).collect();
    let wide = |row: &[(f64, f64)]| row.iter().map(|size| size.0).sum::<f64>();
    let high = |row: &[(f64, f64)]| row.iter().map(|size| size.1).fold(0.0, f64::max);
    let width = sizes.iter().map(|row| wide(row)).fold(0.0, f64::max);
    let height: f64 = sizes.iter().map(|row| high(row)).sum();
    let (mut body, mut y, mut k) = (String::new(), 0.0, 0);
    for (row, sizes) in pictures.iter().zip(&sizes) {
        let mut x = begin(width - wide(sizes));
        for (svg, size) in row.iter().zip(sizes) {
            // A name is one for the whole document.
            let part = svg.replace("id=\"frame\"", &format!("id=\"frame{k}\""));
            let part = part.replace("url(#frame)", &format!("url(#frame{k})"));
            let part = part.replace("id=\"map\"", &format!("id=\"map{k}\""));
            let part = part.replace("url(#map)", &format!("url(#map{k})"));
            body += &part.replacen("<svg ", &format!("<svg x=\"{x}\" y=\"{y}\" "), 1);
            x += size.0;
            k += 1;
        }
        y += high(sizes);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}
