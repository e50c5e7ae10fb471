//! Colours that the colour-blind can tell apart.

use plotters::prelude::*;

/// What is beside the data: axes, the identity line, random init.
pub const GREY: RGBColor = RGBColor(110, 110, 110);

/// Okabe & Ito's colours in an order in which neighbours differ most; yellow is left out, which is hardly
/// seen on white.
const NAMED: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
];

/// The colour of the `at`-th of `n` things: by name where there are few, else by magnitude from dark to
/// light.
pub fn colour(at: usize, n: usize) -> RGBColor {
    if n <= NAMED.len() { NAMED[at % NAMED.len()] } else { viridis(0.92 * at as f64 / (n - 1) as f64) }
}

/// viridis from 0 to 1.
pub fn viridis(value: f64) -> RGBColor {
    ViridisRGB::get_color(value.clamp(0.0, 1.0))
}

/// From -1 (blue) through white to 1 (vermilion).
pub fn diverging(value: f64) -> RGBColor {
    let end = if value < 0.0 { NAMED[0] } else { NAMED[3] };
    let mix = |c: u8| (255.0 + (f64::from(c) - 255.0) * value.abs().min(1.0)).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

/// The colour of a size, of 0 for the smallest and 1 for the largest: from light to dark. The lightest part
/// of viridis is left out, which is hardly seen on white.
pub fn sequential(share: f64) -> RGBColor {
    viridis(0.88 * (1.0 - share.clamp(0.0, 1.0)))
}

/// Black or white, whichever is seen on a colour.
pub fn contrast(colour: RGBColor) -> RGBColor {
    let [r, g, b] = [colour.0, colour.1, colour.2].map(f64::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 { BLACK } else { WHITE }
}
