//! The canvas of figures: its width, its units and lines.

use plotters::prelude::*;

/// Units of the canvas per millimetre; coordinates are whole numbers.
pub const PER_MM: u32 = 10;
/// Width of a column.
pub const WIDTH: u32 = 86 * PER_MM;
/// Height of a line of text with what is between lines.
pub const LINE: u32 = 40;
/// Width of a line that is drawn.
pub const STROKE: u32 = 3;

/// What a drawing routine returns.
pub type DrawResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Where is drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
