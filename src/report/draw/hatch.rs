//! Draws hatching, parallel lines over a rectangle, for flagged cells.

use plotters::prelude::*;

use super::{Area, DrawResult};

/// Distance between lines, in units of the canvas.
const STEP: i32 = 14;

/// Draws lines from lower left to upper right in a rectangle, given by its upper left and lower right corner.
/// The lines of neighbouring cells are aligned.
///
/// # Errors
/// Returns the errors of the drawing backend.
pub fn hatched(area: &Area<'_>, [(x0, y0), (x1, y1)]: [(i32, i32); 2], colour: RGBColor) -> DrawResult {
    // x + y is constant along a line.
    let first = (x0 + y0).div_euclid(STEP) + 1;
    for k in (first..).take_while(|k| k * STEP < x1 + y1) {
        let sum = k * STEP;
        let (from, to) = (x0.max(sum - y1), x1.min(sum - y0));
        if from < to {
            area.draw(&PathElement::new(vec![(from, sum - from), (to, sum - to)], colour.stroke_width(2)))?;
        }
    }
    Ok(())
}
