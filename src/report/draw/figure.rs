//! Draws a figure as SVG and converts it to PDF.

use std::sync::Arc;

use plotters::prelude::*;
use svg2pdf::usvg;

use super::canvas::{Area, DrawResult, PER_MM, WIDTH};
use super::text::FAMILY;
use crate::error::{Error, Result};
use crate::guard::guarded;

/// The font of figures, reduced to the characters that they use.
const FONT: &[u8] = include_bytes!("../../../data/DejaVuSans-figures.ttf");

/// A figure as SVG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    svg: String,
}

impl Figure {
    /// Draws on a white canvas with the width of one column.
    ///
    /// # Errors
    /// [`Error::Figure`] if drawing fails.
    pub fn draw(height: u32, routine: impl FnOnce(&Area<'_>) -> DrawResult) -> Result<Self> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let fault =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Figure { reason: source.to_string() };
        area.fill(&WHITE).map_err(|error| fault(Box::new(error)))?;
        let drawn = guarded(|| routine(&area)).map_err(|reason| Error::Figure { reason })?;
        drawn.map_err(fault)?;
        area.present().map_err(|error| fault(Box::new(error)))?;
        drop(area);
        // Set the size on paper. Coordinates are still in units of the view box.
        let mm = |units: u32| format!("{}mm", f64::from(units) / f64::from(PER_MM));
        let sized = format!("<svg width=\"{}\" height=\"{}\"", mm(WIDTH), mm(height));
        let svg = svg.replacen(&format!("<svg width=\"{WIDTH}\" height=\"{height}\""), &sized, 1);
        // Add fallback fonts with similar metrics for viewers without the font.
        let family = format!("font-family=\"{FAMILY}\"");
        Ok(Self { svg: svg.replace(&family, &format!("font-family=\"{FAMILY}, Verdana, sans-serif\"")) })
    }

    /// The figure as SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The figure as PDF of the same size, with selectable text.
    ///
    /// # Errors
    /// [`Error::Figure`] if the conversion fails.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let fault = |source: &dyn std::fmt::Display| Error::Figure { reason: source.to_string() };
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        let options =
            usvg::Options { fontdb: Arc::new(fonts), font_family: FAMILY.into(), ..Default::default() };
        let tree = usvg::Tree::from_str(&self.svg, &options).map_err(|error| fault(&error))?;
        // usvg converts millimetres to units of 1/96 inch.
        let page = svg2pdf::PageOptions { dpi: 96.0 };
        let pdf = guarded(|| svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page));
        let pdf = pdf.map_err(|reason| Error::Figure { reason })?;
        Ok(in_order(&pdf.map_err(|error| fault(&error))?))
    }
}

/// Sorts the resource dictionaries of a PDF by name, so that the output is reproducible: svg2pdf writes them
/// in the order of a hash map with a random seed. The order in a dictionary has no meaning. Lines keep their
/// length and stay in their dictionary, so the byte offsets of all objects remain valid.
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

#[cfg(test)]
mod tests {
    use super::super::text::{TEXT, left};
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
}
