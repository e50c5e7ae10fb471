//! Defines colours that colour-blind readers can distinguish.

use plotters::prelude::*;

/// The colour of frames, grid lines, the identity line and dashed curves.
pub const GREY: RGBColor = RGBColor(110, 110, 110);

/// The colours of Okabe & Ito, ordered so that neighbours differ most. Yellow is excluded, because it is
/// hardly visible on white.
const NAMED: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
];

/// The colour of item `at` of `n`: a named colour if there are enough, otherwise a colour of viridis from
/// dark to light.
pub fn colour(at: usize, n: usize) -> RGBColor {
    if n <= NAMED.len() { NAMED[at % NAMED.len()] } else { viridis(0.92 * at as f64 / (n - 1) as f64) }
}

/// The viridis colour of a value from 0 to 1.
pub fn viridis(value: f64) -> RGBColor {
    ViridisRGB::get_color(value.clamp(0.0, 1.0))
}

/// The diverging colour of a value from -1 (blue) through 0 (white) to 1 (vermilion).
pub fn diverging(value: f64) -> RGBColor {
    let end = if value < 0.0 { NAMED[0] } else { NAMED[3] };
    let mix = |c: u8| (255.0 + (f64::from(c) - 255.0) * value.abs().min(1.0)).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

/// The colour of a size, from 0 (smallest, light) to 1 (largest, dark). The lightest part of viridis is
/// excluded, because it is hardly visible on white.
pub fn sequential(share: f64) -> RGBColor {
    viridis(0.88 * (1.0 - share.clamp(0.0, 1.0)))
}

/// Black for a light colour, white for a dark colour.
pub fn contrast(colour: RGBColor) -> RGBColor {
    let [r, g, b] = [colour.0, colour.1, colour.2].map(f64::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 { BLACK } else { WHITE }
}
