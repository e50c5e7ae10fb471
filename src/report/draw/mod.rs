//! Figures of one column of a paper: 86 mm wide, text of 7 to 8 points, colours that the colour-blind can
//! tell apart (Okabe & Ito 2008 for names, viridis for magnitudes, blue to vermilion through white for
//! differences). Drawn as SVG; the PDF is made of it and carries its font.

pub mod curves;
pub mod dots;
pub mod heatmap;
pub mod scatter;

use std::sync::Arc;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use svg2pdf::usvg;

use crate::error::{Error, Result};

/// Units of the canvas per millimetre; coordinates are whole numbers.
const PER_MM: u32 = 10;
/// Width of a column.
pub const WIDTH: u32 = 86 * PER_MM;
/// The font of figures, cut down to the signs they use.
const FONT: &[u8] = include_bytes!("../../../data/DejaVuSans-figures.ttf");
const FAMILY: &str = "DejaVu Sans";
/// plotters writes sizes divided by this into SVG.
const SVG_SIZE: f64 = 1.24;
/// Height of text in units of the canvas: 7.5 points.
pub const TEXT: f64 = 26.5 * SVG_SIZE;
/// Small text: 6.5 points.
pub const SMALL: f64 = 23.0 * SVG_SIZE;
/// Height of a line of text with what is between lines.
pub const LINE: u32 = 40;
/// Width of a line that is drawn.
pub const STROKE: u32 = 3;
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

/// Text of some size in black.
pub fn words(size: f64) -> TextStyle<'static> {
    (FAMILY, size).into_text_style(&(WIDTH, WIDTH)).color(&BLACK)
}

/// Text set left, its middle at the point.
pub fn left(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Text set right, its middle at the point.
pub fn right(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Right, VPos::Center))
}

/// Text with its middle at the point.
pub fn centred(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// A figure as SVG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    svg: String,
}

/// What a drawing routine returns.
pub type DrawResult = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Where is drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

impl Figure {
    /// Draws on a white canvas of the width of a column.
    ///
    /// # Errors
    /// [`Error::Figure`]
    pub fn draw(height: u32, routine: impl FnOnce(&Area<'_>) -> DrawResult) -> Result<Self> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let fault =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Figure { reason: source.to_string() };
        area.fill(&WHITE).map_err(|error| fault(Box::new(error)))?;
        routine(&area).map_err(fault)?;
        area.present().map_err(|error| fault(Box::new(error)))?;
        drop(area);
        // The size on paper; the units stay those of the view box.
        let mm = |units: u32| format!("{}mm", f64::from(units) / f64::from(PER_MM));
        let sized = format!("<svg width=\"{}\" height=\"{}\"", mm(WIDTH), mm(height));
        let svg = svg.replacen(&format!("<svg width=\"{WIDTH}\" height=\"{height}\""), &sized, 1);
        // Those who look at the SVG without the font see one like it.
        let family = format!("font-family=\"{FAMILY}\"");
        Ok(Self { svg: svg.replace(&family, &format!("font-family=\"{FAMILY}, Verdana, sans-serif\"")) })
    }

    /// SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// PDF of the same size, with its text as text.
    ///
    /// # Errors
    /// [`Error::Figure`]
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let fault = |source: &dyn std::fmt::Display| Error::Figure { reason: source.to_string() };
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        let options =
            usvg::Options { fontdb: Arc::new(fonts), font_family: FAMILY.into(), ..Default::default() };
        let tree = usvg::Tree::from_str(&self.svg, &options).map_err(|error| fault(&error))?;
        // usvg turns millimetres into 96 units per inch.
        let page = svg2pdf::PageOptions { dpi: 96.0 };
        let pdf = svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page);
        Ok(in_order(&pdf.map_err(|error| fault(&error))?))
    }
}

/// A PDF with its dictionaries of resources in order of their names: svg2pdf writes them as a hash map of
/// random seed gives them. An order says nothing in a dictionary, and no line changes its length or leaves
/// its dictionary, so that the offsets of all objects hold.
fn in_order(pdf: &[u8]) -> Vec<u8> {
    let resource = |line: &&[u8]| {
        let mut words = line.trim_ascii().split(|byte| *byte == b' ');
        let (Some(name), Some(number)) = (words.next(), words.next()) else { return false };
        let named = name.first() == Some(&b'/') && name.last().is_some_and(u8::is_ascii_digit);
        named && number.iter().all(u8::is_ascii_digit) && words.eq([&b"0"[..], &b"R"[..]])
    };
    let mut lines: Vec<&[u8]> = pdf.split_inclusive(|byte| *byte == b'\n').collect();
    lines.chunk_by_mut(|a, b| resource(a) && resource(b)).for_each(|run| run.sort_unstable());
    lines.concat()
}

/// The least and the largest value with a little room; a range of nothing is widened.
pub fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high > low { 0.05 * (high - low) } else { 0.5 * low.abs().max(1.0) };
    (low - room, high + room)
}

/// A number on an axis, with no more decimals than neighbours need.
pub fn tick(value: f64, span: f64) -> String {
    let decimals = if span < 0.05 {
        3
    } else if span < 0.5 {
        2
    } else if span < 8.0 {
        1
    } else {
        0
    };
    let text = format!("{value:.decimals$}");
    let zero = text.trim_start_matches('-').bytes().all(|c| c == b'0' || c == b'.');
    // The sign of minus is as wide as a figure.
    if zero { text.trim_start_matches('-').into() } else { text.replace('-', "\u{2212}") }
}

/// One entry of a legend.
pub enum LegendMarker {
    /// A line in some colour.
    Line(RGBColor),
    /// A dashed line in some colour.
    Dashes(RGBColor),
    /// A point in some colour.
    Point(RGBColor),
}

/// Width of the sign of an entry with the space behind it.
const SIGN: i32 = 70;

/// Columns of a legend whose entries are at most so many signs long.
fn columns(longest: usize) -> usize {
    let width = f64::from(SIGN) + 0.62 * SMALL / SVG_SIZE * longest as f64 + 20.0;
    ((f64::from(WIDTH) - 40.0) / width).floor().clamp(1.0, 4.0) as usize
}

/// Height of a legend.
pub fn legend_height(entries: &[(LegendMarker, String)]) -> u32 {
    let longest = entries.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
    if entries.is_empty() { 0 } else { entries.len().div_ceil(columns(longest)) as u32 * LINE + 10 }
}

/// Draws a legend, column by column.
///
/// # Errors
/// Failures of the backend.
pub fn legend(area: &Area<'_>, entries: &[(LegendMarker, String)]) -> DrawResult {
    let longest = entries.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
    let columns = columns(longest);
    let rows = entries.len().div_ceil(columns);
    let width = (WIDTH as i32 - 40) / columns as i32;
    for (at, (sign, name)) in entries.iter().enumerate() {
        let (x, y) = (30 + width * (at / rows) as i32, 20 + LINE as i32 * (at % rows) as i32);
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
            LegendMarker::Point(colour) => area.draw(&Circle::new((x + 25, y), 9, colour.filled()))?,
        }
        area.draw(&Text::new(name.clone(), (x + SIGN - 8, y), left(SMALL)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_has_the_size_of_the_column_and_its_font() {
        let figure = Figure::draw(430, |area| {
            Ok(area.draw(&Text::new("emergence \u{2212}1", (90, 90), left(TEXT)))?)
        })
        .unwrap();
        assert!(figure.svg().contains("width=\"86mm\" height=\"43mm\""));
        let pdf = figure.pdf().unwrap();
        let text = String::from_utf8_lossy(&pdf);
        let page = text.split("/MediaBox [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        let sizes: Vec<f64> = page.split_whitespace().map(|size| size.parse().unwrap()).collect();
        // 86 mm are 243.78 points.
        assert!((sizes[2] - 243.78).abs() < 0.1 && (sizes[3] - 121.89).abs() < 0.1, "{sizes:?}");
        assert!(text.contains("DejaVuSans"));
        assert_eq!(figure.pdf().unwrap(), pdf);
    }

    #[test]
    fn resources_are_put_in_order_and_nothing_else_moves() {
        let pdf = b"2 0 obj\n  /XObject <<\n    /xo2 9 0 R\n    /xo1 7 0 R\n  >>\n  /Type /B\n\
            \x20 /A 1\n\xff\n/xo1 7 0 R";
        let sorted = b"2 0 obj\n  /XObject <<\n    /xo1 7 0 R\n    /xo2 9 0 R\n  >>\n  /Type /B\n\
            \x20 /A 1\n\xff\n/xo1 7 0 R";
        assert_eq!(in_order(pdf), sorted);
    }

    #[test]
    fn ticks_have_the_decimals_they_need() {
        assert_eq!(tick(-0.5, 2.0), "\u{2212}0.5");
        assert_eq!(tick(-0.0001, 2.0), "0.0");
        assert_eq!(tick(0.125, 0.3), "0.12");
        assert_eq!(tick(40.0, 60.0), "40");
    }

    #[test]
    fn ranges_of_one_value_or_none_are_still_ranges() {
        assert_eq!(range([1.0, 3.0]), (0.9, 3.1));
        assert_eq!(range([2.0]), (1.0, 3.0));
        assert_eq!(range([f64::NAN]), (0.0, 1.0));
    }
}
