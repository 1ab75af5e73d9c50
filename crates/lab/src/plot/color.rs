//! Colours: a palette for lines that colour-blind readers can tell apart, and a perceptually uniform map for surfaces.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Colours of lines, after Okabe and Ito, the light yellow replaced by grey so that all show on white.
pub const PALETTE: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#882255"];

/// Dash patterns of lines, the second channel beside colour; empty is solid. Its length shares no divisor with the palette's
/// beyond what keeps forty combinations apart.
pub const DASHES: [&str; 5] = ["", "7 3", "2 2.5", "9 3 2 3", "5 2 1.5 2 1.5 2"];

/// Seventeen samples of viridis (matplotlib, CC0), evenly spaced.
const VIRIDIS: [Rgb; 17] = [
    [68, 1, 84],
    [72, 24, 106],
    [71, 45, 123],
    [66, 64, 134],
    [59, 82, 139],
    [51, 99, 141],
    [44, 114, 142],
    [38, 130, 142],
    [33, 145, 140],
    [31, 159, 136],
    [39, 173, 129],
    [61, 188, 116],
    [92, 200, 99],
    [129, 211, 77],
    [170, 220, 50],
    [213, 226, 26],
    [253, 231, 37],
];

/// The colour map viridis at `t` in `[0, 1]`, dark to light; NaN gives the dark end.
pub fn viridis(t: f64) -> Rgb {
    let at = t.clamp(0.0, 1.0).max(0.0) * (VIRIDIS.len() - 1) as f64;
    let low = (at as usize).min(VIRIDIS.len() - 2);
    let part = at - low as f64;
    let (a, b) = (VIRIDIS[low], VIRIDIS[low + 1]);
    std::array::from_fn(|i| (f64::from(a[i]) + (f64::from(b[i]) - f64::from(a[i])) * part).round() as u8)
}

/// `#rrggbb`.
pub fn hex(c: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", c[0], c[1], c[2])
}
