//! Curves with bands, one panel above the other or two beside each other, with one legend for all.

use plotters::prelude::*;

use super::{
    Area, DrawResult, Figure, GREY, LINE, LegendMarker, SMALL, STROKE, TEXT, WIDTH, centred, colour, legend,
    legend_height, range, tick, words,
};
use crate::error::Result;

/// Half the width of a 95 % band in standard errors.
pub const BAND: f64 = 1.96;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Half the height of the band.
    pub half: f64,
    /// What is drawn dashed beside it.
    pub beside: Option<f64>,
}

/// One curve; those of one name have one colour in every panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Which of the names.
    pub name: usize,
    /// Its points, from left to right.
    pub points: Vec<Point>,
}

/// Some curves with one title.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// A figure of curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// The panels.
    pub panels: Vec<Panel>,
    /// Names of the curves.
    pub names: Vec<String>,
    /// Below the panels.
    pub x_label: String,
    /// Beside the panels.
    pub y_label: String,
    /// What is drawn dashed, if anything.
    pub dashed: Option<String>,
    /// Whether x counts something.
    pub whole: bool,
}

impl Curves {
    /// The figure.
    ///
    /// # Errors
    /// [`crate::Error::Figure`]
    pub fn figure(&self) -> Result<Figure> {
        let beside = if self.panels.len() > 1 { 2 } else { 1 };
        let rows = self.panels.len().div_ceil(beside);
        let height = if beside == 1 { 520 } else { 390 };
        let mut entries: Vec<(LegendMarker, String)> = self
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| (LegendMarker::Line(colour(at, self.names.len())), name.clone()))
            .collect();
        if let Some(name) = &self.dashed {
            entries.push((LegendMarker::Dashes(GREY), name.clone()));
        }
        let below = legend_height(&entries);
        let total = rows as u32 * height + LINE + below;
        Figure::draw(total, |area| {
            let (panels, foot) = area.split_vertically(rows as u32 * height);
            let (_, plots) = panels.split_horizontally(40);
            let points =
                || self.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
            let x = range(points().map(|point| point.x));
            let y = range(points().flat_map(|p| [p.y - p.half, p.y + p.half, p.beside.unwrap_or(p.y)]));
            for (area, panel) in plots.split_evenly((rows, beside)).iter().zip(&self.panels) {
                self.panel(area, panel, x, y)?;
            }
            let side =
                words(TEXT).transform(FontTransform::Rotate270).pos(plotters::style::text_anchor::Pos::new(
                    plotters::style::text_anchor::HPos::Center,
                    plotters::style::text_anchor::VPos::Center,
                ));
            area.draw(&Text::new(self.y_label.clone(), (22, (rows as u32 * height / 2) as i32), side))?;
            let (label, signs) = foot.split_vertically(LINE);
            label.draw(&Text::new(self.x_label.clone(), (WIDTH as i32 / 2 + 40, 14), centred(TEXT)))?;
            legend(&signs, &entries)
        })
    }

    fn panel(&self, area: &Area<'_>, panel: &Panel, x: (f64, f64), y: (f64, f64)) -> DrawResult {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(44)
            .y_label_area_size(66)
            .caption(&panel.title, words(TEXT))
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        let (x_span, y_span) = (x.1 - x.0, y.1 - y.0);
        let x_tick = |value: &f64| {
            if self.whole && value.fract().abs() > 1e-9 {
                String::new()
            } else if self.whole {
                format!("{value:.0}")
            } else {
                tick(*value, x_span)
            }
        };
        let y_tick = |value: &f64| tick(*value, y_span);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GREY.mix(0.25))
            .axis_style(GREY.stroke_width(2))
            .x_labels(if self.whole { (x_span.floor() as usize + 1).clamp(2, 6) } else { 5 })
            .y_labels(5)
            .x_label_formatter(&x_tick)
            .y_label_formatter(&y_tick)
            .label_style(words(SMALL))
            .draw()?;
        for curve in &panel.curves {
            let colour = colour(curve.name, self.names.len());
            let upper = curve.points.iter().map(|p| (p.x, p.y + p.half));
            let lower = curve.points.iter().rev().map(|p| (p.x, p.y - p.half));
            let band: Vec<(f64, f64)> = upper.chain(lower).collect();
            if curve.points.len() > 1 && curve.points.iter().any(|point| point.half > 0.0) {
                chart.draw_series([Polygon::new(band, colour.mix(0.2).filled())])?;
            }
        }
        for curve in &panel.curves {
            let colour = colour(curve.name, self.names.len());
            let beside: Vec<(f64, f64)> =
                curve.points.iter().filter_map(|p| Some((p.x, p.beside?))).collect();
            if !beside.is_empty() {
                chart.draw_series(DashedLineSeries::new(beside, 10, 8, colour.stroke_width(STROKE)))?;
            }
            let line = curve.points.iter().map(|p| (p.x, p.y));
            chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(STROKE + 1)))?;
            if curve.points.len() <= 12 {
                chart.draw_series(line.map(|at| Circle::new(at, 6, colour.filled())))?;
            }
        }
        Ok(())
    }
}
