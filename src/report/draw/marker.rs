//! Draws points of several shapes, which distinguish kinds without colour.

use plotters::prelude::*;

use super::{Area, DrawResult};

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A circle.
    Circle,
    /// A square that stands on a corner.
    Diamond,
    /// A triangle.
    Triangle,
    /// A square.
    Square,
}

impl Shape {
    /// The shapes, in the order in which they are assigned to kinds.
    pub const ALL: [Self; 4] = [Self::Circle, Self::Diamond, Self::Triangle, Self::Square];

    /// The shape of the `at`-th kind.
    pub fn of(at: usize) -> Self {
        Self::ALL[at % Self::ALL.len()]
    }

    fn corners(self, (x, y): (i32, i32), r: i32) -> Vec<(i32, i32)> {
        let s = r * 8 / 9;
        match self {
            Self::Circle => vec![],
            Self::Diamond => {
                let d = r * 6 / 5;
                vec![(x, y - d), (x + d, y), (x, y + d), (x - d, y)]
            }
            Self::Triangle => vec![(x, y - r), (x + r, y + s), (x - r, y + s)],
            Self::Square => vec![(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)],
        }
    }
}

/// Draws a point of radius `r`, filled with `colour` or with white.
///
/// # Errors
/// Returns the errors of the drawing backend.
pub fn point(
    area: &Area<'_>,
    shape: Shape,
    at: (i32, i32),
    r: i32,
    colour: RGBColor,
    is_filled: bool,
) -> DrawResult {
    let outline = (r as u32 / 3).clamp(2, 3);
    if shape == Shape::Circle {
        // Draw an open circle as a white disc on a larger coloured disc.
        area.draw(&Circle::new(at, r, colour.filled()))?;
        if !is_filled {
            area.draw(&Circle::new(at, r - outline as i32, WHITE.filled()))?;
        }
        return Ok(());
    }
    let corners = shape.corners(at, r);
    let fill = if is_filled { colour } else { WHITE };
    area.draw(&Polygon::new(corners.clone(), fill.filled()))?;
    if !is_filled {
        let closed: Vec<(i32, i32)> = corners.iter().chain(corners.first()).copied().collect();
        area.draw(&PathElement::new(closed, colour.stroke_width(outline)))?;
    }
    Ok(())
}
