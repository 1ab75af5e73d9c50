//! The random kernels: keyed words, uniforms and normals, many lanes at a time.
//!
//! A row of draws is a SplitMix64 sequence with its own state and its own odd increment (Steele, Lea, Flood: "Fast
//! splittable pseudorandom number generators", OOPSLA 2014): word `i` is `mix(state + (i + 1) * gamma)`. Being a
//! function of a counter it needs no seeding of lanes, starts anywhere in a row, and gives the same bits at any
//! vector width and on any number of threads. Uniforms take the upper bits of a word; normals come from Box and
//! Muller's transform with polynomials for the logarithm, sine and cosine (coefficients: Chebyshev fits, errors
//! beside them). No fused multiply-add is used, so every instruction set gives the same bits.

use fearless_simd::{Level, Simd, SimdFloatElement, dispatch, f32x16, f64x8, prelude::*, u32x16, u64x8};
use fearless_simd_macros::simd;
use std::ops::Range;
use std::sync::OnceLock;

/// The instruction set found at run time, AVX-512 to SSE2 and NEON; asked once. The variable `SWARMGRAD_SIMD` of the environment
/// asks for a smaller one, `avx2`, `sse4.2` or `sse2`: results are the same bits, which is what that is for.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let found = Level::new();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if let Ok(name) = std::env::var("SWARMGRAD_SIMD") {
            let smaller = match &*name {
                "avx2" => found.as_avx2().map(Level::Avx2),
                "sse4.2" => found.as_sse4_2().map(Level::Sse4_2),
                "sse2" => found.as_sse2().map(Level::Sse2),
                _ => None,
            };
            return smaller.unwrap_or(found);
        }
        found
    })
}

/// 2^64 divided by the golden ratio, made odd: the increment of the published SplitMix64.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The SplitMix64 finaliser: every bit of the result depends on every bit of `z`.
#[inline(always)]
pub(crate) fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What selects one row of draws: where its counter starts and how it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub(crate) state: u64,
    /// Odd, with enough bit changes to count well.
    pub(crate) gamma: u64,
}

impl Key {
    /// The key of `row` under a `base` that already mixes seed, stream and iteration.
    #[inline(always)]
    pub(crate) fn new(base: u64, row: u64) -> Self {
        let state = mix(base.wrapping_add(row.wrapping_add(1).wrapping_mul(GOLDEN)));
        let gamma = mix(state ^ GOLDEN) | 1;
        // An increment with few bit changes counts badly (section 5 of the paper): flip every other bit then.
        let gamma = if (gamma ^ (gamma >> 1)).count_ones() < 24 { gamma ^ 0xaaaa_aaaa_aaaa_aaaa } else { gamma };
        Key { state, gamma }
    }

    /// Word `i` of the row.
    #[inline(always)]
    pub(crate) fn word(self, i: u64) -> u64 {
        mix(self.state.wrapping_add(i.wrapping_add(1).wrapping_mul(self.gamma)))
    }
}

/// The random kernels of a scalar; implemented for `f32` and `f64` and sealed by [`crate::Real`].
///
/// Both fill a rectangle of the matrix of draws: `rows` by `cols`, row-major in `out`. `cols.start` must be even.
pub trait Normals: SimdFloatElement {
    /// Elements that one 64-bit word serves: 1 for f64, 2 for f32.
    const PER_WORD: usize;
    /// Uniforms in [0, 1).
    fn fill_uniform(base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [Self]);
    /// Standard normals. Rows 2k and 2k + 1 share the words of both, so `rows.start` must be even.
    fn fill_normal(base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [Self]);
    /// As many numbers as one vector holds.
    type Lanes<S: Simd>: SimdFloat<S, Element = Self>;
    /// The next uniforms of a row, for kernels that draw as they go.
    fn next_uniform<S: Simd>(simd: S, counter: &mut Counter<S>) -> Self::Lanes<S>;
    /// The next normals of a pair of rows, for kernels that draw as they go.
    fn next_normal<S: Simd>(simd: S, counters: &mut [Counter<S>; 2]) -> [Self::Lanes<S>; 2];
    /// Uniforms of one row from word number `word` on.
    fn fill_uniform_row(key: Key, word: usize, out: &mut [Self]);
    /// `out.len() / 2` (rounded up) pairs of normals from the words of two keys, first all cosines, then all sines.
    fn fill_normal_halves(keys: [Key; 2], word: usize, out: &mut [Self]);
    /// What [`ln`] gives.
    fn quick_ln(self) -> Self;
}

/// The natural logarithm without branches and calls, so that the compiler turns a loop of it into vectors (the standard
/// library's is a call for each number). Relative error below 3e-7 in `f32`, 1e-13 in `f64`; -inf at 0, NaN below.
///
/// ```
/// use swarmgrad_core::simd::ln;
/// assert!((ln(2.0_f64) - std::f64::consts::LN_2).abs() < 1e-13);
/// assert_eq!((ln(0.0_f32), ln(1.0_f32)), (f32::NEG_INFINITY, 0.0));
/// ```
#[inline(always)]
pub fn ln<F: Normals>(x: F) -> F {
    x.quick_ln()
}

/// The next eight words of a row of draws.
#[derive(Debug, Clone, Copy)]
pub struct Counter<S: Simd> {
    lanes: u64x8<S>,
    step: u64,
}

impl<S: Simd> Counter<S> {
    /// Starts at word number `word` of the row.
    #[inline(always)]
    pub fn new(simd: S, key: Key, word: usize) -> Self {
        let first = key.state.wrapping_add((word as u64).wrapping_mul(key.gamma));
        let lanes = u64x8::simd_from(simd, [1, 2, 3, 4, 5, 6, 7, 8]) * key.gamma + first;
        Counter { lanes, step: key.gamma.wrapping_mul(8) }
    }

    /// Those of two rows. Written out: in the closure of a `map` the vectors' operations are calls.
    #[inline(always)]
    pub fn pair(simd: S, [a, b]: [Key; 2], word: usize) -> [Self; 2] {
        [Counter::new(simd, a, word), Counter::new(simd, b, word)]
    }

    /// Eight words: SplitMix64's finaliser of the counters.
    #[inline(always)]
    fn next(&mut self) -> u64x8<S> {
        let z = self.lanes;
        self.lanes += self.step;
        let z = (z ^ (z >> 30)) * 0xbf58_476d_1ce4_e5b9u64;
        let z = (z ^ (z >> 27)) * 0x94d0_49bb_1331_11ebu64;
        z ^ (z >> 31)
    }
}

/// The kernels of one scalar type. `$open` maps words to (0, 1]; the rest is the same text for both.
macro_rules! kernels {
    (
        $module:ident, $F:ident, $V:ident, $W:ident, $U:ident, lanes $lanes:literal, mantissa $mantissa:literal,
        one $one:literal, two $two:literal, sqrt_half $sqrt_half:literal, magic $magic:literal, bias $bias:literal, sign $sign:literal,
        atanh $atanh:expr, sin $sin:expr, cos $cos:expr, open $open:ident, ln $ln:expr, scale $scale:literal
    ) => {
        mod $module {
            use super::*;

            #[inline(always)]
            fn horner<S: Simd, const N: usize>(simd: S, c: &[$F; N], x: $V<S>) -> $V<S> {
                let mut sum = $V::splat(simd, c[0]);
                for &coefficient in &c[1..] {
                    sum = sum * x + coefficient;
                }
                sum
            }

            /// [0, 1) from the upper bits of words: a float in [1, 2) by its bits, less one.
            #[inline(always)]
            pub(super) fn unit<S: Simd>(_simd: S, w: $W<S>) -> $V<S> {
                let float: $V<S> = ((w >> ($U::BITS - $mantissa)) | $one).bitcast();
                float - 1.0
            }

            /// Two independent standard normals a lane (Box and Muller 1958): r cos t and r sin t, where
            /// r = sqrt(-2 ln u) from `w1` and the angle t from `w2`.
            #[inline(always)]
            pub(super) fn box_muller<S: Simd>(simd: S, w1: $W<S>, w2: $W<S>) -> ($V<S>, $V<S>) {
                // ln u = e ln 2 + 2 atanh((m - 1) / (m + 1)), u = m 2^e with m in [sqrt(1/2), sqrt(2)).
                let bits: $W<S> = $open(simd, w1).bitcast();
                let shifted = bits + ($one - $sqrt_half);
                let exponent: $V<S> = ((shifted >> $mantissa) | $magic).bitcast();
                let exponent = exponent - (<$F>::from_bits($magic) + $bias);
                let m: $V<S> = ((shifted & ((1 << $mantissa) - 1)) + $sqrt_half).bitcast();
                let q = (m - 1.0) / (m + 1.0);
                let half = q * horner(simd, &$atanh, q * q);
                let r = (exponent * (-2.0 * std::$F::consts::LN_2) - (half + half)).sqrt();
                // The top three bits choose the octant pair and the signs, the rest an angle in [-pi/4, pi/4).
                let turn: $V<S> = ((w2 << 3 >> ($U::BITS - $mantissa)) | $two).bitcast();
                let turn = turn - 3.0;
                let square = turn * turn;
                let sin = turn * horner(simd, &$sin, square);
                let cos = horner(simd, &$cos, square);
                let swap = ((w2 << 2) & $sign).simd_eq($W::splat(simd, $sign));
                let (x, y) = (swap.select(sin, cos), swap.select(cos, sin));
                let x: $V<S> = (x.bitcast::<$W<S>>() ^ (w2 & $sign)).bitcast();
                let y: $V<S> = (y.bitcast::<$W<S>>() ^ ((w2 << 1) & $sign)).bitcast();
                (r * x, r * y)
            }

            /// Rows of uniforms one after the other. Whole vectors are stored while they fit into `out`: what spills over a
            /// row's end is overwritten by the next row.
            #[simd]
            pub(super) fn uniform<S: Simd>(simd: S, base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [$F]) {
                let (word, width) = (cols.start / $F::PER_WORD, cols.len());
                for (k, row) in rows.enumerate() {
                    let key = Key::new(base, row as u64);
                    let (mut counter, end) = (Counter::new(simd, key, word), (k + 1) * width);
                    for from in (k * width..end).step_by($lanes) {
                        store(simd, unit(simd, counter.next().bitcast()), from, end, true, out);
                    }
                }
            }

            /// One row of uniforms from word number `word` on.
            #[simd]
            pub(super) fn uniform_row<S: Simd>(simd: S, key: Key, word: usize, out: &mut [$F]) {
                let mut counter = Counter::new(simd, key, word);
                for from in (0..out.len()).step_by($lanes) {
                    store(simd, unit(simd, counter.next().bitcast()), from, out.len(), true, out);
                }
            }

            /// Stores the lanes at `out[from..end]`; if they may `spill` and fit, as one vector.
            #[inline(always)]
            fn store<S: Simd>(_simd: S, lanes: $V<S>, from: usize, end: usize, spill: bool, out: &mut [$F]) {
                let room = if spill { out.len() } else { end };
                if from + $lanes <= room {
                    lanes.store_slice(&mut out[from..from + $lanes]);
                } else {
                    let array: [$F; $lanes] = lanes.into();
                    copy_few(&mut out[from..end], &array);
                }
            }

            /// The words of one row of draws at `out[at..at + width]`, spilling over its end.
            #[inline(always)]
            fn word_row<S: Simd>(simd: S, key: Key, word: usize, width: usize, at: usize, out: &mut [$U; WORDS]) {
                let mut counter = Counter::new(simd, key, word);
                for from in (at..at + width).step_by($lanes) {
                    let lanes: $W<S> = counter.next().bitcast();
                    lanes.store_slice(&mut out[from..from + $lanes]);
                }
            }

            /// One row of numbers, given as bits, copied to `out[at..at + width]` by whole vectors while they fit.
            #[inline(always)]
            fn copy_row<S: Simd>(simd: S, from: &[$U], width: usize, at: usize, out: &mut [$F]) {
                for done in (0..width).step_by($lanes) {
                    let lanes = $W::from_slice(simd, &from[done..done + $lanes]);
                    store(simd, lanes.bitcast(), at + done, at + width, true, out);
                }
            }

            /// Two rows of normals, at `a..a + width` and `b..b + width` of `out`; `b` beyond the end is not stored.
            #[simd]
            fn normal_rows<S: Simd>(simd: S, keys: [Key; 2], word: usize, width: usize, [a, b]: [usize; 2], out: &mut [$F]) {
                let [mut c1, mut c2] = Counter::pair(simd, keys, word);
                for done in (0..width).step_by($lanes) {
                    let (x, y) = box_muller(simd, c1.next().bitcast(), c2.next().bitcast());
                    // The first row must not spill: the second one, which follows it, has begun already.
                    store(simd, x, a + done, a + width, false, out);
                    if b < out.len() {
                        store(simd, y, b + done, b + width, true, out);
                    }
                }
            }

            #[simd]
            pub(super) fn normal<S: Simd>(simd: S, base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [$F]) {
                let (word, width) = (cols.start / $F::PER_WORD, cols.len());
                if width < SHORT {
                    return normal_short_rows(simd, base, rows, word, width, out);
                }
                for (k, row) in rows.enumerate().step_by(2) {
                    let keys = [Key::new(base, row as u64), Key::new(base, row as u64 + 1)];
                    normal_rows(simd, keys, word, width, [k * width, (k + 1) * width], out);
                }
            }

            /// The same for short rows: the words of several pairs of rows first, then one pass of Box and Muller over all
            /// of them, so that the rows' ends leave no lane idle, then the rows in their places.
            #[simd]
            fn normal_short_rows<S: Simd>(simd: S, base: u64, rows: Range<usize>, word: usize, width: usize, out: &mut [$F]) {
                // Words, and then the bits of the normals made from them.
                let (mut w1, mut w2) = ([0; WORDS], [0; WORDS]);
                let pairs = STRETCH / width;
                for first in rows.clone().step_by(2 * pairs) {
                    let last = (first + 2 * pairs).min(rows.end);
                    let mut filled = 0;
                    for row in (first..last).step_by(2) {
                        word_row(simd, Key::new(base, row as u64), word, width, filled, &mut w1);
                        word_row(simd, Key::new(base, row as u64 + 1), word, width, filled, &mut w2);
                        filled += width;
                    }
                    for at in (0..filled).step_by($lanes) {
                        let here = at..at + $lanes;
                        let (x, y) = box_muller(simd, $W::from_slice(simd, &w1[here.clone()]), $W::from_slice(simd, &w2[here.clone()]));
                        x.bitcast::<$W<S>>().store_slice(&mut w1[here.clone()]);
                        y.bitcast::<$W<S>>().store_slice(&mut w2[here]);
                    }
                    for (p, row) in (first..last).step_by(2).enumerate() {
                        let at = (row - rows.start) * width;
                        copy_row(simd, &w1[p * width..], width, at, out);
                        if row + 1 < rows.end {
                            copy_row(simd, &w2[p * width..], width, at + width, out);
                        }
                    }
                }
            }

            #[simd]
            pub(super) fn halves<S: Simd>(simd: S, keys: [Key; 2], word: usize, out: &mut [$F]) {
                let half = out.len().div_ceil(2);
                let [mut c1, mut c2] = Counter::pair(simd, keys, word);
                let (a, b) = out.split_at_mut(half);
                for from in (0..half).step_by($lanes) {
                    let (x, y) = box_muller(simd, c1.next().bitcast(), c2.next().bitcast());
                    store(simd, x, from, half, false, a);
                    store(simd, y, from, b.len(), false, b);
                }
            }
        }

        impl Normals for $F {
            const PER_WORD: usize = 64 / $U::BITS as usize;
            type Lanes<S: Simd> = $V<S>;

            #[inline(always)]
            fn next_uniform<S: Simd>(simd: S, counter: &mut Counter<S>) -> $V<S> {
                $module::unit(simd, counter.next().bitcast())
            }

            #[inline(always)]
            fn next_normal<S: Simd>(simd: S, [c1, c2]: &mut [Counter<S>; 2]) -> [$V<S>; 2] {
                let (x, y) = $module::box_muller(simd, c1.next().bitcast(), c2.next().bitcast());
                [x, y]
            }

            fn fill_uniform(base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [$F]) {
                debug_assert!(cols.start.is_multiple_of(2) && out.len() == rows.len() * cols.len());
                dispatch!(level(), simd => $module::uniform(simd, base, rows, cols, out))
            }

            fn fill_normal(base: u64, rows: Range<usize>, cols: Range<usize>, out: &mut [$F]) {
                debug_assert!(cols.start.is_multiple_of(2) && rows.start.is_multiple_of(2));
                debug_assert!(out.len() == rows.len() * cols.len());
                dispatch!(level(), simd => $module::normal(simd, base, rows, cols, out))
            }

            fn fill_uniform_row(key: Key, word: usize, out: &mut [$F]) {
                dispatch!(level(), simd => $module::uniform_row(simd, key, word, out))
            }

            fn fill_normal_halves(keys: [Key; 2], word: usize, out: &mut [$F]) {
                dispatch!(level(), simd => $module::halves(simd, keys, word, out))
            }

            #[inline(always)]
            fn quick_ln(self) -> $F {
                // As in Box and Muller's logarithm above; numbers below the normal ones are scaled up first.
                let small = self < $F::MIN_POSITIVE;
                let scaled = if small { self * $scale } else { self };
                let shifted = scaled.to_bits().wrapping_add($one - $sqrt_half);
                let exponent = $F::from_bits((shifted >> $mantissa) | $magic) - ($F::from_bits($magic) + $bias);
                let exponent = if small { exponent - $mantissa as $F } else { exponent };
                let m = $F::from_bits((shifted & ((1 << $mantissa) - 1)) + $sqrt_half);
                let q = (m - 1.0) / (m + 1.0);
                let [first, rest @ ..] = $ln;
                let sum = rest.iter().fold(first, |sum, coefficient| sum * (q * q) + coefficient);
                let ln = exponent * std::$F::consts::LN_2 + q * sum;
                let ln = if self > 0.0 { ln } else { $F::NAN };
                let ln = if self == 0.0 { $F::NEG_INFINITY } else { ln };
                if self == $F::INFINITY { self } else { ln }
            }
        }
    };
}

/// Rows shorter than this are made several at a time.
const SHORT: usize = 64;
/// Numbers that are made at a time then, and the buffer for them with room for the spill of the last vector.
const STRETCH: usize = 256;
const WORDS: usize = STRETCH + 16;

/// A short copy as a loop: the lengths are below one vector, where a call of `memcpy` costs more than the copy.
#[inline(always)]
fn copy_few<F: Copy>(to: &mut [F], from: &[F]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t = *f;
    }
}

/// (0, 1] with 52 bits: 2 less a float in [1, 2).
#[inline(always)]
fn open_f64<S: Simd>(_simd: S, w: u64x8<S>) -> f64x8<S> {
    let float: f64x8<S> = ((w >> 12) | 0x3ff0_0000_0000_0000u64).bitcast();
    -(float - 2.0)
}

/// (0, 1] with 30 bits, so that normals reach 6.4 standard deviations (23 bits would end at 5.6).
#[inline(always)]
fn open_f32<S: Simd>(_simd: S, w: u32x16<S>) -> f32x16<S> {
    let positive: fearless_simd::i32x16<S> = ((w >> 2) + 1).bitcast();
    f32x16::float_from(positive) * (1.0 / 1_073_741_824.0)
}

kernels! {
    double, f64, f64x8, u64x8, u64, lanes 8, mantissa 52, one 0x3ff0_0000_0000_0000u64, two 0x4000_0000_0000_0000u64,
    sqrt_half 0x3fe6_a09e_667f_3bcdu64, magic 0x4330_0000_0000_0000u64, bias 1023.0, sign 0x8000_0000_0000_0000u64,
    // 2 atanh(q) / q in q^2 on q < (sqrt(2) - 1) / (sqrt(2) + 1), error 5.4e-14
    atanh [0.19608095639753054, 0.2217424991007749, 0.28572166145875727, 0.3999999489183238, 0.6666666667957926, 1.9999999999999472],
    // sin(pi t / 4) / t in t^2 on [0, 1], error 3.4e-15
    sin [-1.7365167288597578e-09, 3.1333840829093e-07, -3.6576192120767256e-05, 0.0024903945673670634, -0.08074551218803863, 0.785398163397445],
    // cos(pi t / 4) in t^2 on [0, 1], error 5.6e-14
    cos [-2.426851890411488e-08, 3.5904755349763954e-06, -0.0003259916875350726, 0.01585434419710652, -0.3084251375300398, 0.9999999999999444],
    open open_f64,
    // atanh again, error 4e-15
    ln [0.16836279999557793, 0.18122803152111983, 0.22223377084216794, 0.2857141735708028, 0.40000000050033485, 0.6666666666658851, 2.000000000000001], scale 4503599627370496.0
}

kernels! {
    single, f32, f32x16, u32x16, u32, lanes 16, mantissa 23, one 0x3f80_0000u32, two 0x4000_0000u32,
    sqrt_half 0x3f35_04f3u32, magic 0x4b00_0000u32, bias 127.0, sign 0x8000_0000u32,
    // the same three functions; errors 2.4e-7, 2.4e-9, 2.8e-8
    atanh [0.4129491, 0.6665227, 2.0000002],
    sin [-3.595429e-05, 0.0024900069, -0.080745436, std::f32::consts::FRAC_PI_4],
    cos [-0.0003188775, 0.01584991, -0.30842426, 1.0],
    open open_f32,
    // atanh again, error 1.4e-9
    ln [0.2992439, 0.3997485, 0.6666682, 2.0], scale 8388608.0
}
