//! Figures of one column of a paper: 86 mm wide, text of 7 to 8 points, colours that the colour-blind can
//! tell apart (Okabe & Ito 2008 for names, viridis for magnitudes, blue to vermilion through white for
//! differences). Drawn as SVG; the PDF is made of it and carries its font.
//!
//! | file | contents |
//! |---|---|
//! | `scatter.rs`, `dots.rs`, `heatmap.rs`, `curves.rs` | the figures |
//! | `axis.rs`, `legend.rs`, `marker.rs`, `hatch.rs`, `text.rs`, `palette.rs` | their parts |
//! | `canvas.rs`, `figure.rs` | what is drawn on, and what it becomes |

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
