//! Draws predicted against measured values with equal axes: points with intervals, the identity line,
//! baselines with smaller errors, and the error summary as text.

use plotters::prelude::*;

use super::axis::{Axis, range};
use super::legend::{LegendMarker, legend, legend_height};
use super::marker::{Shape, point};
use super::text::{SMALL, TEXT, centred, left, right, upwards, wrapped};
use super::{Area, DrawResult, Figure, GREY, STROKE, WIDTH, colour};
use crate::error::Result;

/// A prediction and its measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index into the names.
    pub name: usize,
    /// The measured value.
    pub measured: f64,
    /// The predicted value.
    pub predicted: f64,
    /// The bounds of the interval.
    pub interval: Option<(f64, f64)>,
}

impl Pair {
    /// Whether the measurement lies in the interval; true if there is no interval.
    fn is_inside(&self) -> bool {
        self.interval.is_none_or(|(low, high)| (low..=high).contains(&self.measured))
    }
}

/// The points of a baseline with smaller errors than the predictions on the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselinePoints {
    /// Name of the baseline.
    pub name: String,
    /// Pairs of measured value and baseline.
    pub points: Vec<(f64, f64)>,
}

/// A figure of predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// The points.
    pub pairs: Vec<Pair>,
    /// One name for each colour; empty if there are too many names to distinguish.
    pub names: Vec<String>,
    /// Unit of both axes.
    pub unit: String,
    /// Baselines with smaller errors than the predictions.
    pub baselines: Vec<BaselinePoints>,
    /// Sentences above the plot: number of rows, errors, coverage.
    pub notes: Vec<String>,
}

/// Maximum number of names in the legend. This limit keeps the legend much lower than the plot.
pub const MOST_NAMES: usize = 7;
/// Left and right edge of the plot, in units of the canvas.
const PLOT: (i32, i32) = (124, 840);
/// Height of a line of the notes.
const NOTE: i32 = 32;
/// Plots with more points have smaller markers.
const MANY: usize = 120;

/// The position of the plot and its axes, which have the same length and range.
struct Frame {
    top: i32,
    x: Axis,
    y: Axis,
}

impl Scatter {
    /// The figure.
    ///
    /// # Errors
    /// [`crate::Error::Figure`] if drawing fails.
    pub fn figure(&self) -> Result<Figure> {
        let entries = self.entries();
        let notes = self.lines();
        let frame = self.frame(&notes);
        let bottom = frame.top + PLOT.1 - PLOT.0;
        let foot = bottom + 88;
        Figure::draw(foot as u32 + legend_height(&entries), |area| {
            for (at, line) in notes.iter().enumerate() {
                let place = (20, 24 + NOTE * at as i32);
                area.draw(&Text::new(line.clone(), place, left(SMALL)))?;
            }
            self.axes(area, &frame)?;
            self.marks(area, &frame)?;
            let (_, signs) = area.split_vertically(foot);
            legend(&signs, &entries)
        })
    }

    /// The position of each pair's point on the canvas, in units of the view box.
    pub fn places(&self) -> Vec<(i32, i32)> {
        let frame = self.frame(&self.lines());
        self.pairs.iter().map(|pair| (frame.x.at(pair.measured), frame.y.at(pair.predicted))).collect()
    }

    fn lines(&self) -> Vec<String> {
        let width = WIDTH as i32 - 40;
        self.notes.iter().flat_map(|note| wrapped(note, SMALL, width)).collect()
    }

    /// The frame. Both axes have the same range, so one unit has the same length on both.
    fn frame(&self, notes: &[String]) -> Frame {
        let ends = |pair: &Pair| pair.interval.unwrap_or((pair.predicted, pair.predicted));
        let pairs = self.pairs.iter().flat_map(|p| [p.measured, p.predicted, ends(p).0, ends(p).1]);
        let baselines = self.baselines.iter().flat_map(|b| &b.points).flat_map(|(x, y)| [*x, *y]);
        let range = range(pairs.chain(baselines));
        let top = 20 + NOTE * notes.len() as i32 + if notes.is_empty() { 0 } else { 16 };
        let side = PLOT.1 - PLOT.0;
        Frame { top, x: Axis::linear(range, PLOT), y: Axis::linear(range, (top + side, top)) }
    }

    fn entries(&self) -> Vec<(LegendMarker, String)> {
        let named = self.names.iter().enumerate();
        let mut entries: Vec<(LegendMarker, String)> = named
            .filter(|_| self.names.len() > 1)
            .map(|(at, name)| (LegendMarker::Point(Shape::Circle, self.colour(at)), name.clone()))
            .collect();
        entries.push((LegendMarker::Line(GREY), "predicted = measured".into()));
        if self.pairs.iter().any(|pair| !pair.is_inside()) {
            entries.push((LegendMarker::Open(Shape::Circle, BLACK), "outside its interval".into()));
        }
        for (at, baseline) in self.baselines.iter().enumerate() {
            let sign = LegendMarker::Open(Shape::of(at + 1), BLACK);
            entries.push((sign, format!("baseline: {}", baseline.name)));
        }
        entries
    }

    fn colour(&self, name: usize) -> RGBColor {
        if self.names.len() > MOST_NAMES { colour(0, 1) } else { colour(name, self.names.len()) }
    }

    fn axes(&self, area: &Area<'_>, frame: &Frame) -> DrawResult {
        let (top, bottom) = (frame.top, frame.top + PLOT.1 - PLOT.0);
        for (value, text) in frame.x.ticks(6) {
            let (x, y) = (frame.x.at(value), frame.y.at(value));
            let faint = GREY.mix(0.25).stroke_width(1);
            area.draw(&PathElement::new(vec![(x, top), (x, bottom)], faint))?;
            area.draw(&PathElement::new(vec![(PLOT.0, y), (PLOT.1, y)], faint))?;
            area.draw(&Text::new(text.clone(), (x, bottom + 22), centred(SMALL)))?;
            area.draw(&Text::new(text, (PLOT.0 - 10, y), right(SMALL)))?;
        }
        let frame_line = vec![(PLOT.0, top), (PLOT.0, bottom), (PLOT.1, bottom)];
        area.draw(&PathElement::new(frame_line, GREY.stroke_width(2)))?;
        // The identity line joins the corners, because both axes have the same range.
        area.draw(&PathElement::new(vec![(PLOT.0, bottom), (PLOT.1, top)], GREY.stroke_width(STROKE)))?;
        let unit = if self.unit.is_empty() { String::new() } else { format!(", {}", self.unit) };
        let middle = (PLOT.0 + PLOT.1) / 2;
        area.draw(&Text::new(format!("measured{unit}"), (middle, bottom + 60), centred(TEXT)))?;
        let side = (24, (top + bottom) / 2);
        area.draw(&Text::new(format!("predicted{unit}"), side, upwards(TEXT)))?;
        Ok(())
    }

    fn marks(&self, area: &Area<'_>, frame: &Frame) -> DrawResult {
        let (r, stroke, mix) = if self.pairs.len() > MANY { (6, 1, 0.35) } else { (9, STROKE, 0.55) };
        for pair in &self.pairs {
            if let Some((low, high)) = pair.interval {
                let x = frame.x.at(pair.measured);
                let bar = vec![(x, frame.y.at(low)), (x, frame.y.at(high))];
                let style = self.colour(pair.name).mix(mix).stroke_width(stroke);
                area.draw(&PathElement::new(bar, style))?;
            }
        }
        for (at, baseline) in self.baselines.iter().enumerate() {
            for (measured, value) in &baseline.points {
                let place = (frame.x.at(*measured), frame.y.at(*value));
                point(area, Shape::of(at + 1), place, r, BLACK, false)?;
            }
        }
        for (pair, place) in self.pairs.iter().zip(self.places()) {
            point(area, Shape::Circle, place, r, self.colour(pair.name), pair.is_inside())?;
        }
        Ok(())
    }
}
