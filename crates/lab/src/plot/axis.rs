//! Axes: where numbers land, and ticks at round numbers.

/// How numbers are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; only positive numbers have a place.
    Log,
}

/// An axis: its label, its scale, its range if that is fixed, and words in place of numbers where it has any.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What stands beside it.
    pub label: String,
    /// How numbers are spread along it.
    pub scale: Scale,
    /// Its ends; found from the data where `None`.
    pub range: Option<(f64, f64)>,
    /// Words that stand at 0, 1, 2, .. in place of numbers.
    pub words: Vec<String>,
}

/// More words than this are not all written.
const MOST_WORDS: usize = 24;

impl Axis {
    /// A linear axis with a label.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// A logarithmic axis with a label.
    pub fn log(label: impl Into<String>) -> Self {
        Axis { label: label.into(), scale: Scale::Log, ..Axis::default() }
    }

    /// An axis of words, at 0, 1, 2, ..
    pub fn of_words(label: impl Into<String>, words: Vec<String>) -> Self {
        let range = Some((-0.6, words.len().max(1) as f64 - 0.4));
        Axis { label: label.into(), range, words, ..Axis::default() }
    }

    /// The marks between these ends: the words, every second or third of many, or at most about `most` numbers.
    pub fn ticks(&self, ends: (f64, f64), most: usize) -> Vec<Tick> {
        if self.words.is_empty() {
            return ticks(self.scale, ends, most);
        }
        let step = self.words.len().div_ceil(MOST_WORDS);
        let tick = |(k, word): (usize, &String)| Tick { value: k as f64, label: word.clone() };
        self.words.iter().enumerate().step_by(step).map(tick).collect()
    }

    /// With fixed ends.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The ends for these data: the fixed range, or what covers every number that has a place, plus `margin` (a fraction of
    /// the range) on both sides. Always finite with `low < high`, and positive on a logarithmic scale.
    pub fn ends(&self, data: impl IntoIterator<Item = f64>, margin: f64) -> (f64, f64) {
        let has_place = |v: &f64| v.is_finite() && v.abs() < 1e300 && (self.scale == Scale::Linear || *v > 1e-300);
        let (mut low, mut high) = match self.range {
            Some((low, high)) if has_place(&low) && has_place(&high) => (low.min(high), low.max(high)),
            _ => {
                let (low, high) = data
                    .into_iter()
                    .filter(has_place)
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
                match (low <= high, self.scale) {
                    (false, Scale::Linear) => (0.0, 1.0),
                    (false, Scale::Log) => (0.1, 1.0),
                    (true, Scale::Linear) => (low - (high - low) * margin, high + (high - low) * margin),
                    (true, Scale::Log) => {
                        let factor = (high.ln() - low.ln()) * margin;
                        ((low.ln() - factor).exp().max(1e-305), (high.ln() + factor).exp().min(1e305))
                    }
                }
            }
        };
        // A range of no width, or one that f64 cannot divide, is widened about its middle.
        match self.scale {
            Scale::Linear if (high - low) <= 1e-12 * high.abs().max(low.abs()) || high - low < 1e-300 => {
                let pad = if high == 0.0 && low == 0.0 { 1.0 } else { 0.1 * high.abs().max(low.abs()).max(1e-290) };
                (low, high) = (low - pad, high + pad);
            }
            Scale::Log if high / low < 1.0 + 1e-9 => (low, high) = (low / 2.0, high * 2.0),
            _ => {}
        }
        (low, high)
    }
}

impl Scale {
    /// The place of a value as a fraction of the way from `low` to `high`; not finite for a number without a place.
    pub fn place(self, value: f64, (low, high): (f64, f64)) -> f64 {
        match self {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log if value > 0.0 => (value.ln() - low.ln()) / (high.ln() - low.ln()),
            Scale::Log => f64::NEG_INFINITY,
        }
    }
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What stands beside it.
    pub label: String,
}

/// At most about `most` ticks (at least two) at round numbers inside `[low, high]`: sorted, with distinct labels.
pub fn ticks(scale: Scale, (low, high): (f64, f64), most: usize) -> Vec<Tick> {
    let most = most.max(2);
    let mut out = match scale {
        Scale::Linear => linear(low, high, most),
        Scale::Log => log(low, high, most),
    };
    out.retain(|t| t.value >= low && t.value <= high);
    out.dedup_by(|b, a| a.label == b.label || a.value >= b.value);
    if out.len() < 2 && low < high {
        out = [low, high].map(|value| Tick { value, label: format!("{value:e}").replace('-', "−") }).into();
    }
    out
}

/// Unlabelled marks between the ticks of a logarithmic axis: 2 to 9 of each decade, if the decades are wide enough.
pub fn minor(scale: Scale, (low, high): (f64, f64)) -> Vec<f64> {
    if scale == Scale::Linear || high.log10() - low.log10() > 8.0 {
        return Vec::new();
    }
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    decades.flat_map(|e| (2..10).map(move |m| power(e) * f64::from(m))).filter(|v| (low..=high).contains(v)).collect()
}

/// `10^e`, correctly rounded.
fn power(e: i32) -> f64 {
    format!("1e{e}").parse().expect("a number")
}

fn linear(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return Vec::new();
    }
    let rough = span / most as f64;
    let e = rough.log10().floor() as i32;
    for (extra, m) in [(0, 1), (0, 2), (0, 5), (1, 1), (1, 2)] {
        let (e, m) = (e + extra, f64::from(m));
        // Whole multiples of the step, so that no error adds up and 0.3 is 0.3.
        let unit = |i: f64| if e >= 0 { i * m * power(e) } else { i * m / power(-e) };
        let (first, last) = ((low / unit(1.0)).ceil(), (high / unit(1.0)).floor());
        let count = last - first + 1.0;
        if count > most as f64 + 0.5 {
            continue;
        }
        let values: Vec<f64> = (0..count.max(0.0) as usize).map(|i| unit(first + i as f64) + 0.0).collect();
        let largest = values.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        let label = |v: f64| linear_label(v, e, largest);
        return values.into_iter().map(|value| Tick { value, label: label(value) }).collect();
    }
    Vec::new()
}

/// The label of a multiple of `10^step_exponent`, on an axis whose largest tick is `largest`.
fn linear_label(v: f64, step_exponent: i32, largest: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let text = if largest < 99_999.5 && step_exponent >= -5 {
        format!("{v:.*}", (-step_exponent).max(0) as usize)
    } else {
        let e = v.abs().log10().floor() as i32;
        let digits = (e - step_exponent).clamp(0, 17) as usize;
        let text = format!("{v:.digits$e}");
        let (mantissa, exponent) = text.split_once('e').expect("an exponent");
        let mantissa = match mantissa.contains('.') {
            true => mantissa.trim_end_matches('0').trim_end_matches('.'),
            false => mantissa,
        };
        let exponent: i32 = exponent.parse().expect("whole");
        if exponent == 0 { mantissa.to_owned() } else { format!("{mantissa}×10{}", superscript(exponent)) }
    };
    text.replace('-', "−")
}

fn log(low: f64, high: f64, most: usize) -> Vec<Tick> {
    if !(low > 0.0 && high.is_finite() && low < high) {
        return Vec::new();
    }
    let (first, last) = (low.log10().floor() as i32 - 1, high.log10().ceil() as i32 + 1);
    let inside = |v: f64| v >= low && v <= high;
    let decades: Vec<i32> = (first..=last).filter(|&e| inside(power(e))).collect();
    let plain = low >= 0.9e-3 && high <= 1.1e5;
    let label = |m: i32, e: i32| match (plain, m) {
        (true, _) => format!("{:.*}", (-e).max(0) as usize, f64::from(m) * power(e)),
        (false, 1) => format!("10{}", superscript(e)),
        (false, m) => format!("{m}×10{}", superscript(e)),
    };
    let at = |m: i32, e: i32| Tick {
        value: if m == 1 { power(e) } else { format!("{m}e{e}").parse().expect("a number") },
        label: label(m, e),
    };
    if decades.len() >= 3 || decades.len() == 2 && most <= 3 {
        // Every k-th decade, at multiples of k so that neighbouring charts agree.
        let k = (1..).find(|&k| decades.iter().filter(|e| e.rem_euclid(k) == 0).count() <= most).expect("a step");
        let kept: Vec<Tick> = decades.iter().filter(|e| e.rem_euclid(k) == 0).map(|&e| at(1, e)).collect();
        if kept.len() >= 2 {
            return kept;
        }
    }
    for mantissas in [&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[1, 2, 5], &[1, 3]] {
        let kept: Vec<Tick> = (first..=last)
            .flat_map(|e| mantissas.iter().map(move |&m| (m, e)))
            .map(|(m, e)| at(m, e))
            .filter(|t| inside(t.value))
            .collect();
        if (2..=most).contains(&kept.len()) {
            return kept;
        }
    }
    linear(low, high, most)
}

/// A whole number in superscript.
pub fn superscript(n: i32) -> String {
    let digit = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32('⁰' as u32 + c.to_digit(10).expect("a digit")).expect("a superscript"),
    };
    n.to_string().chars().map(digit).collect()
}
