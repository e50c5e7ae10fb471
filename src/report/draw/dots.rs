//! Values of named things as dots on one axis, several to a row.

use plotters::prelude::*;

use super::{
    Figure, GREY, LINE, LegendMarker, SMALL, SVG_SIZE, TEXT, WIDTH, centred, colour, legend, legend_height,
    range, right, tick,
};
use crate::error::Result;

/// A figure of dots.
#[derive(Debug, Clone, PartialEq)]
pub struct Dots {
    /// The rows, from above: a name, and its value of each kind.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
    /// The kinds, which have a colour each.
    pub kinds: Vec<String>,
    /// Below the axis.
    pub x_label: String,
}

impl Dots {
    /// The figure; the axis begins at 0 or below.
    ///
    /// # Errors
    /// [`crate::Error::Figure`]
    pub fn figure(&self) -> Result<Figure> {
        let sign = |at| LegendMarker::Point(colour(at, self.kinds.len()));
        let entries: Vec<(LegendMarker, String)> =
            self.kinds.iter().enumerate().map(|(at, kind)| (sign(at), kind.clone())).collect();
        let row = 52;
        let bottom = 24 + row * self.rows.len() as i32;
        Figure::draw(bottom as u32 + 2 * LINE + 10 + legend_height(&entries), |area| {
            let longest = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            let start = 40 + (0.62 * SMALL / SVG_SIZE * longest as f64) as i32;
            let end = WIDTH as i32 - 40;
            let (low, high) =
                range(self.rows.iter().flat_map(|(_, values)| values.iter().copied().flatten()).chain([0.0]));
            let low = if low > -0.06 * high { 0.0 } else { low };
            let x = |value: f64| start + (f64::from(end - start) * (value - low) / (high - low)) as i32;
            let step = step(high - low);
            let mut at = (low / step).ceil() * step;
            while at <= high {
                area.draw(&PathElement::new(
                    vec![(x(at), 12), (x(at), bottom)],
                    GREY.mix(0.25).stroke_width(1),
                ))?;
                area.draw(&Text::new(tick(at, high - low), (x(at), bottom + 22), centred(SMALL)))?;
                at += step;
            }
            area.draw(&PathElement::new(vec![(start, bottom), (end, bottom)], GREY.stroke_width(2)))?;
            for (place, (name, values)) in self.rows.iter().enumerate() {
                let y = 24 + row * place as i32 + row / 2;
                area.draw(&Text::new(name.clone(), (start - 14, y), right(SMALL)))?;
                for (kind, value) in values.iter().enumerate() {
                    if let Some(value) = value.filter(|value| value.is_finite()) {
                        let fill = colour(kind, self.kinds.len()).filled();
                        area.draw(&Circle::new((x(value), y), 9, fill))?;
                    }
                }
            }
            area.draw(&Text::new(self.x_label.clone(), ((start + end) / 2, bottom + 58), centred(TEXT)))?;
            let (_, signs) = area.split_vertically(bottom + 2 * LINE as i32 + 4);
            legend(&signs, &entries)
        })
    }
}

/// A round distance between ticks, about five of them in a span.
fn step(span: f64) -> f64 {
    let power = 10f64.powf((span / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|times| times * power)
        .into_iter()
        .find(|step| span / step <= 6.0)
        .unwrap_or(power)
}
