//! Draws legends: entries in columns below a plot.

use plotters::prelude::*;

use super::hatch::hatched;
use super::marker::{Shape, point};
use super::text::{SMALL, left, width_of};
use super::{Area, DrawResult, GREY, LINE, STROKE, WIDTH};

/// The marker of a legend entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LegendMarker {
    /// A line.
    Line(RGBColor),
    /// A dashed line.
    Dashes(RGBColor),
    /// A filled point.
    Point(Shape, RGBColor),
    /// An open point.
    Open(Shape, RGBColor),
    /// A filled rectangle.
    Fill(RGBColor),
    /// A hatched rectangle.
    Hatch,
}

/// Width of a marker, including the space after it.
const SIGN: i32 = 70;

/// The number of columns in which the longest entry fits.
fn columns(entries: &[(LegendMarker, String)]) -> usize {
    let longest = entries.iter().map(|(_, name)| width_of(name, SMALL)).max().unwrap_or(0);
    let fit = (WIDTH as i32 - 40) / (SIGN + longest + 20);
    (fit.clamp(1, 4) as usize).min(entries.len().max(1))
}

/// The height of a legend.
pub fn legend_height(entries: &[(LegendMarker, String)]) -> u32 {
    if entries.is_empty() { 0 } else { entries.len().div_ceil(columns(entries)) as u32 * LINE + 10 }
}

/// Draws a legend, column by column.
///
/// # Errors
/// Returns the errors of the drawing backend.
pub fn legend(area: &Area<'_>, entries: &[(LegendMarker, String)]) -> DrawResult {
    let columns = columns(entries);
    let rows = entries.len().div_ceil(columns);
    let width = (WIDTH as i32 - 40) / columns as i32;
    for (at, (sign, name)) in entries.iter().enumerate() {
        let (x, y) = (30 + width * (at / rows) as i32, 20 + LINE as i32 * (at % rows) as i32);
        let corners = [(x + 6, y - 14), (x + SIGN - 24, y + 14)];
        match sign {
            LegendMarker::Line(colour) => {
                area.draw(&PathElement::new(
                    vec![(x, y), (x + SIGN - 20, y)],
                    colour.stroke_width(2 * STROKE),
                ))?;
            }
            LegendMarker::Dashes(colour) => {
                for part in 0..3 {
                    let from = x + 18 * part;
                    area.draw(&PathElement::new(
                        vec![(from, y), (from + 11, y)],
                        colour.stroke_width(STROKE),
                    ))?;
                }
            }
            LegendMarker::Point(shape, colour) => point(area, *shape, (x + 25, y), 9, *colour, true)?,
            LegendMarker::Open(shape, colour) => point(area, *shape, (x + 25, y), 9, *colour, false)?,
            LegendMarker::Fill(colour) => area.draw(&Rectangle::new(corners, colour.filled()))?,
            LegendMarker::Hatch => {
                hatched(area, corners, GREY)?;
                area.draw(&Rectangle::new(corners, GREY.stroke_width(2)))?;
            }
        }
        area.draw(&Text::new(name.clone(), (x + SIGN - 8, y), left(SMALL)))?;
    }
    Ok(())
}
