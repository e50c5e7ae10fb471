//! Defines the canvas of figures: width, units and line widths.

use plotters::prelude::*;

/// Units of the canvas per millimetre. Coordinates are integers.
pub const PER_MM: u32 = 10;
/// Width of a figure: one column of a paper.
pub const WIDTH: u32 = 86 * PER_MM;
/// Height of a line of text, including the line spacing.
pub const LINE: u32 = 40;
/// Default width of drawn lines.
pub const STROKE: u32 = 3;

/// The result of a drawing routine.
pub type DrawResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A region of the canvas.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
