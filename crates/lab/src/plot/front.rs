//! Fronts: points of two objectives as dots, of more as lines over parallel coordinates.

use super::axis::Axis;
use super::chart::{Chart, Legend, Line};

/// The fronts of several objectives, each with a name, as a picture.
///
/// Two objectives stand on the two axes. More stand side by side, each scaled from its best to its worst value in all of the fronts: a
/// point is a line that joins its values.
///
/// ```
/// use swarmgrad_lab::plot::front;
/// let points = vec![vec![0.0, 1.0], vec![0.5, 0.2], vec![1.0, 0.0]];
/// let chart = front("ZDT1", &["f1".into(), "f2".into()], &[("nsga2".into(), points)]);
/// assert!(chart.svg().contains("nsga2"));
/// ```
pub fn front(title: impl Into<String>, objectives: &[String], fronts: &[(String, Vec<Vec<f64>>)]) -> Chart {
    match objectives {
        [first, second] => plane(title.into(), [first, second], fronts),
        _ => parallel(title.into(), objectives, fronts),
    }
}

fn plane(title: String, [first, second]: [&String; 2], fronts: &[(String, Vec<Vec<f64>>)]) -> Chart {
    let mut chart = Chart::new(title, Axis::linear(first), Axis::linear(second));
    for (style, (name, points)) in fronts.iter().enumerate() {
        // What is not a number interrupts the line: only its dots are seen.
        let apart = |point: &Vec<f64>| [(point[0], point[1]), (f64::NAN, f64::NAN)];
        let dots = points.iter().filter(|point| point.len() == 2).flat_map(apart).collect();
        chart.line(Line { style: Some(style), ..Line::new(name.clone(), dots).dots() });
    }
    chart
}

fn parallel(title: String, objectives: &[String], fronts: &[(String, Vec<Vec<f64>>)]) -> Chart {
    let all = || fronts.iter().flat_map(|(_, points)| points).filter(|point| point.len() == objectives.len());
    let ends = |k: usize| {
        let values = all().map(|point| point[k]).filter(|t| t.is_finite());
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)))
    };
    let ends: Vec<(f64, f64)> = (0..objectives.len()).map(ends).collect();
    let names: Vec<String> = objectives.iter().enumerate().map(|(k, name)| format!("{} {name}", k + 1)).collect();
    let label = format!("objectives: {}", names.join(", "));
    let x = Axis::linear(label).range(1.0, objectives.len().max(2) as f64);
    let mut chart = Chart::new(title, x, Axis::linear("from best to worst").range(0.0, 1.0));
    for (style, (name, points)) in fronts.iter().enumerate() {
        let mut through = Vec::new();
        for point in points.iter().filter(|point| point.len() == objectives.len()) {
            for (k, (t, (low, high))) in point.iter().zip(&ends).enumerate() {
                let share = if high > low { (t - low) / (high - low) } else { 0.0 };
                through.push(((k + 1) as f64, share));
            }
            through.push((f64::NAN, f64::NAN));
        }
        chart.line(Line { style: Some(style), ..Line::new(name.clone(), through) });
    }
    chart.legend = Legend::Right;
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_objectives_are_dots_and_more_are_lines_through_all_of_them() {
        let names = ["cost".to_owned(), "mass".to_owned(), "time".to_owned()];
        let two = front("t", &names[..2], &[("a".into(), vec![vec![1.0, 5.0], vec![2.0, 4.0]])]);
        assert_eq!((&two.x.label[..], &two.y.label[..]), ("cost", "mass"));
        assert!(two.lines[0].dots && two.lines[0].points[0] == (1.0, 5.0) && two.lines[0].points[1].0.is_nan());
        assert_eq!(two.svg().matches("<circle").count(), 2 + 1, "two dots and one in the legend");
        let points = vec![vec![1.0, 5.0, 7.0], vec![3.0, 4.0, 7.0]];
        let three = front("t", &names, &[("a".into(), points)]);
        assert_eq!(three.lines[0].points[..3], [(1.0, 0.0), (2.0, 1.0), (3.0, 0.0)]);
        assert_eq!(three.lines[0].points[4..7], [(1.0, 1.0), (2.0, 0.0), (3.0, 0.0)]);
        assert!(three.x.label.contains("2 mass"));
        // Nothing at all is a picture too.
        assert!(front("t", &names, &[]).svg().starts_with("<svg"));
    }
}
