//! Draws figures for one column of a paper: 86 mm wide, with text of 7 to 8 points and colours that
//! colour-blind readers can distinguish (Okabe & Ito 2008 for names, viridis for magnitudes, blue to
//! vermilion through white for differences). Figures are drawn as SVG and converted to PDF with an embedded
//! font.
//!
//! | file | contents |
//! |---|---|
//! | `scatter.rs`, `dots.rs`, `heatmap.rs`, `curves.rs` | the figures |
//! | `axis.rs`, `legend.rs`, `marker.rs`, `hatch.rs`, `text.rs`, `palette.rs` | parts of figures |
//! | `canvas.rs`, `figure.rs` | the canvas, and the output as SVG and PDF |

pub mod axis;
mod canvas;
pub mod curves;
pub mod dots;
mod figure;
mod hatch;
pub mod heatmap;
pub mod legend;
pub mod marker;
mod palette;
pub mod scatter;
pub mod text;

pub use self::canvas::{Area, DrawResult, LINE, STROKE, WIDTH};
pub use self::figure::Figure;
pub use self::palette::{GREY, colour, contrast, diverging, sequential, viridis};
