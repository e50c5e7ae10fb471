//! Draws the values of named rows as points on one axis. A row can have several points side by side.

use plotters::prelude::*;

use super::axis::{Axis, range};
use super::legend::{LegendMarker, legend, legend_height};
use super::marker::{Shape, point};
use super::text::{SMALL, TEXT, centred, cut, right, width_of};
use super::{Figure, GREY, LINE, WIDTH, colour};
use crate::error::Result;

/// One row of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct DotRow {
    /// The label.
    pub name: String,
    /// One value for each entry of [`Dots::kinds`]; `None` if the value is missing.
    pub values: Vec<Option<f64>>,
    /// Whether the row is highlighted as chosen.
    pub is_marked: bool,
}

/// A figure of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Dots {
    /// The rows, from top to bottom.
    pub rows: Vec<DotRow>,
    /// The kinds of values. Each has its own colour and shape.
    pub kinds: Vec<String>,
    /// Legend entry of highlighted rows.
    pub mark: String,
    /// Label below the axis.
    pub x_label: String,
}

/// Height of a row.
const ROW: i32 = 56;
/// Vertical distance between the points of neighbouring kinds in a row.
const DODGE: i32 = 15;
/// Space above the first row.
const TOP: i32 = 24;
/// Maximum width of the labels.
const NAMES: i32 = 330;
/// Background colour of highlighted rows.
const MARK: RGBColor = RGBColor(225, 225, 225);

impl Dots {
    /// The figure. The axis is logarithmic if all values are positive; otherwise it includes 0.
    ///
    /// # Errors
    /// [`crate::Error::Figure`] if drawing fails.
    pub fn figure(&self) -> Result<Figure> {
        let entries = self.entries();
        let bottom = TOP + ROW * self.rows.len() as i32;
        Figure::draw(bottom as u32 + 2 * LINE + 14 + legend_height(&entries), |area| {
            let names = self.rows.iter().map(|row| width_of(&row.name, SMALL)).max().unwrap_or(0);
            let start = 34 + names.min(NAMES);
            let end = WIDTH as i32 - 40;
            let axis = self.axis((start, end));
            for (place, _) in self.rows.iter().enumerate().filter(|(_, row)| row.is_marked) {
                let top = TOP + ROW * place as i32;
                area.draw(&Rectangle::new([(10, top + 2), (end, top + ROW - 2)], MARK.filled()))?;
                let bar = vec![(12, top + 2), (12, top + ROW - 2)];
                area.draw(&PathElement::new(bar, BLACK.stroke_width(5)))?;
            }
            let mut last = i32::MIN;
            for (value, text) in axis.ticks(6) {
                let x = axis.at(value);
                let line = vec![(x, TOP - 12), (x, bottom)];
                area.draw(&PathElement::new(line, GREY.mix(0.35).stroke_width(1)))?;
                // Skip tick labels that would overlap, which is possible on a logarithmic axis.
                if x - width_of(&text, SMALL) / 2 > last {
                    last = x + width_of(&text, SMALL) / 2 + 6;
                    area.draw(&Text::new(text, (x, bottom + 22), centred(SMALL)))?;
                }
            }
            area.draw(&PathElement::new(vec![(start, bottom), (end, bottom)], GREY.stroke_width(2)))?;
            for (place, row) in self.rows.iter().enumerate() {
                let middle = TOP + ROW * place as i32 + ROW / 2;
                let name = cut(&row.name, SMALL, NAMES);
                area.draw(&Text::new(name, (start - 14, middle), right(SMALL)))?;
                for (kind, value) in row.values.iter().enumerate() {
                    let Some(value) = value.filter(|value| value.is_finite()) else { continue };
                    let aside = DODGE * (2 * kind as i32 - (row.values.len() as i32 - 1)) / 2;
                    let colour = colour(kind, self.kinds.len());
                    point(area, Shape::of(kind), (axis.at(value), middle + aside), 8, colour, true)?;
                }
            }
            let middle = ((start + end) / 2, bottom + 58);
            area.draw(&Text::new(self.x_label.clone(), middle, centred(TEXT)))?;
            let (_, signs) = area.split_vertically(bottom + 2 * LINE as i32 + 6);
            legend(&signs, &entries)
        })
    }

    fn entries(&self) -> Vec<(LegendMarker, String)> {
        let sign = |at| LegendMarker::Point(Shape::of(at), colour(at, self.kinds.len()));
        let kinds = self.kinds.iter().enumerate().map(|(at, kind)| (sign(at), kind.clone()));
        let mark = (LegendMarker::Fill(MARK), self.mark.clone());
        let mark = self.rows.iter().any(|row| row.is_marked).then_some(mark);
        kinds.chain(mark).collect()
    }

    fn axis(&self, places: (i32, i32)) -> Axis {
        let values = || self.rows.iter().flat_map(|row| row.values.iter().copied().flatten());
        let (least, most) = values()
            .fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
        if least > 0.0 && least.is_finite() {
            // Add a margin of a twelfth of the length at both ends.
            let room = (most / least).powf(1.0 / 12.0).max(1.05);
            return Axis::log((least / room, most * room), places);
        }
        let (low, high) = range(values().chain([0.0]));
        Axis::linear((if low > -0.06 * high { 0.0 } else { low }, high), places)
    }
}
