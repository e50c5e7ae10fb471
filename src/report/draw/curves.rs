//! Draws curves with bands, in panels that share their axes. Few curves have one colour each and a legend;
//! many curves are coloured by model size and have a colour bar.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::axis::{Axis, range};
use super::legend::{LegendMarker, legend, legend_height};
use super::text::{SMALL, TEXT, centred, cut, left, right, upwards, width_of};
use super::{Area, DrawResult, Figure, GREY, LINE, STROKE, colour, sequential};
use crate::error::Result;

/// Half the width of a 95 % band in standard errors.
pub const BAND: f64 = 1.96;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The horizontal position.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Half the height of the band.
    pub half: f64,
    /// The value of the dashed curve at this position.
    pub beside: Option<f64>,
}

/// One curve. Curves with the same name have the same colour in every panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Index into the names or sizes of the key.
    pub name: usize,
    /// Its points, from left to right.
    pub points: Vec<Point>,
}

/// One panel with its curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The title above the panel.
    pub title: String,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// The meaning of the colours.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// One name per colour, shown in a legend.
    Names(Vec<String>),
    /// The parameters of each model, shown on a colour bar from light to dark. Equal sizes have equal
    /// colours.
    Sizes(Vec<f64>),
}

/// A figure of curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// The panels. Panels without points are not drawn.
    pub panels: Vec<Panel>,
    /// The meaning of the colours.
    pub key: Key,
    /// Number of panels in a row.
    pub across: usize,
    /// Label below the panels.
    pub x_label: String,
    /// Label to the left of the panels.
    pub y_label: String,
    /// Legend entry of the dashed curves, if there are any.
    pub dashed: Option<String>,
    /// Whether x is a count.
    pub is_count: bool,
}

/// Maximum rows of panels in a figure that fits on a page.
const MOST_ROWS: usize = 7;
/// Left and right edge of the panels.
const PANELS: (i32, i32) = (116, 846);
/// Gap between panels.
const GAP: i32 = 26;
/// Height of the title above a panel.
const TITLE: i32 = 38;
/// Height of the tick labels below a panel.
const TICKS: i32 = 38;
/// Panels with more curves have fainter bands and thinner lines.
const MANY: usize = 7;

impl Curves {
    /// The figures: several if the panels do not fit on one page, none if there are no points.
    ///
    /// # Errors
    /// [`crate::Error::Figure`] if drawing fails.
    pub fn figures(&self) -> Result<Vec<Figure>> {
        let has_points = |panel: &&Panel| panel.curves.iter().any(|curve| !curve.points.is_empty());
        let panels: Vec<&Panel> = self.panels.iter().filter(has_points).collect();
        panels.chunks(self.across.max(1) * MOST_ROWS).map(|chunk| self.figure(chunk)).collect()
    }

    fn figure(&self, panels: &[&Panel]) -> Result<Figure> {
        let across = self.across.clamp(1, panels.len().max(1));
        let rows = panels.len().div_ceil(across) as i32;
        let height = match across {
            1 if rows == 1 => 430,
            1 => 300,
            2 => 300,
            _ => 200,
        };
        let width = (PANELS.1 - PANELS.0 - GAP * (across as i32 - 1)) / across as i32;
        let one = TITLE + height + TICKS;
        let entries = self.entries();
        let bar = self.bar_height();
        let foot = rows * one + LINE as i32 + 6;
        Figure::draw(foot as u32 + bar + legend_height(&entries), |area| {
            // All figures of these curves share one range.
            let points = || self.panels.iter().flat_map(|p| &p.curves).flat_map(|curve| &curve.points);
            let x = range(points().map(|point| point.x));
            let y = range(points().flat_map(|p| [p.y - p.half, p.y + p.half, p.beside.unwrap_or(p.y)]));
            for (at, panel) in panels.iter().enumerate() {
                let (row, column) = ((at / across) as i32, (at % across) as i32);
                let (from, top) = (PANELS.0 + column * (width + GAP), row * one + TITLE);
                let x = Axis::linear(x, (from, from + width));
                let y = Axis::linear(y, (top + height, top));
                self.frame(area, panel, (x, y), [(from, top), (from + width, top + height)], column == 0)?;
                self.curves(area, panel, (x, y))?;
            }
            let side = (22, rows * one / 2);
            area.draw(&Text::new(self.y_label.clone(), side, upwards(TEXT)))?;
            let below = ((PANELS.0 + PANELS.1) / 2, rows * one + 16);
            area.draw(&Text::new(self.x_label.clone(), below, centred(TEXT)))?;
            self.bar(area, foot)?;
            let (_, signs) = area.split_vertically(foot + bar as i32);
            legend(&signs, &entries)
        })
    }

    fn entries(&self) -> Vec<(LegendMarker, String)> {
        let names: &[String] = if let Key::Names(names) = &self.key { names } else { &[] };
        let named = names.iter().enumerate().filter(|_| names.len() > 1 || self.dashed.is_some());
        let line = |(at, name): (usize, &String)| (LegendMarker::Line(self.colour(at)), name.clone());
        let dashed = self.dashed.iter().map(|name| (LegendMarker::Dashes(GREY), name.clone()));
        named.map(line).chain(dashed).collect()
    }

    fn colour(&self, name: usize) -> RGBColor {
        match &self.key {
            Key::Names(names) => colour(name, names.len()),
            Key::Sizes(sizes) => match ends(sizes) {
                Some((low, high)) => sequential((sizes[name] / low).ln() / (high / low).ln()),
                None => colour(0, 1),
            },
        }
    }

    fn bar_height(&self) -> u32 {
        if matches!(&self.key, Key::Sizes(sizes) if ends(sizes).is_some()) { 2 * LINE } else { 0 }
    }

    /// Draws the colour bar of sizes, with labels at both ends.
    fn bar(&self, area: &Area<'_>, top: i32) -> DrawResult {
        let Key::Sizes(sizes) = &self.key else { return Ok(()) };
        let Some((low, high)) = ends(sizes) else { return Ok(()) };
        let (from, to, steps) = (330, 700, 37);
        for step in 0..steps {
            let (a, b) = (from + (to - from) * step / steps, from + (to - from) * (step + 1) / steps);
            let fill = sequential((f64::from(step) + 0.5) / f64::from(steps)).filled();
            area.draw(&Rectangle::new([(a, top + 8), (b + 1, top + 36)], fill))?;
        }
        let y = top + 22;
        area.draw(&Text::new("parameters of the model", (20, y), left(SMALL)))?;
        for (size, x) in [(low, from), (high, to)] {
            area.draw(&Text::new(short_count(size), (x, top + 56), centred(SMALL)))?;
        }
        Ok(())
    }

    fn frame(
        &self,
        area: &Area<'_>,
        panel: &Panel,
        (x, y): (Axis, Axis),
        [(left_x, top), (right_x, bottom)]: [(i32, i32); 2],
        has_labels: bool,
    ) -> DrawResult {
        let room = right_x - left_x + GAP;
        let size = if width_of(&panel.title, TEXT) > room { SMALL } else { TEXT };
        let title = cut(&panel.title, size, room);
        area.draw(&Text::new(title, ((left_x + right_x) / 2, top - 18), centred(size)))?;
        for (value, text) in y.ticks(5) {
            let at = y.at(value);
            area.draw(&PathElement::new(vec![(left_x, at), (right_x, at)], GREY.mix(0.25).stroke_width(1)))?;
            if has_labels {
                area.draw(&Text::new(text, (left_x - 10, at), right(SMALL)))?;
            }
        }
        let most = if self.across > 2 { 4 } else { 6 };
        for (value, text) in self.counts(most).unwrap_or_else(|| x.ticks(most)) {
            if self.is_count && value.fract().abs() > 1e-9 {
                continue;
            }
            let text = if self.is_count { format!("{value:.0}") } else { text };
            let at = x.at(value);
            area.draw(&PathElement::new(vec![(at, bottom), (at, bottom + 6)], GREY.stroke_width(2)))?;
            area.draw(&Text::new(text, (at, bottom + 22), centred(SMALL)))?;
        }
        let frame = vec![(left_x, top), (left_x, bottom), (right_x, bottom)];
        area.draw(&PathElement::new(frame, GREY.stroke_width(2)))?;
        Ok(())
    }

    /// The counts that occur, as ticks. `None` if x is not a count or there are more than `most` counts.
    fn counts(&self, most: usize) -> Option<Vec<(f64, String)>> {
        let points = self.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
        let mut counts: Vec<f64> = points.map(|point| point.x).collect();
        counts.sort_unstable_by(f64::total_cmp);
        counts.dedup();
        (self.is_count && counts.len() <= most)
            .then(|| counts.into_iter().map(|count| (count, String::new())).collect())
    }

    fn curves(&self, area: &Area<'_>, panel: &Panel, (x, y): (Axis, Axis)) -> DrawResult {
        let is_crowded = panel.curves.len() > MANY || self.across > 2;
        let (mix, stroke, r) = if is_crowded { (0.1, 2, 4) } else { (0.2, STROKE + 1, 6) };
        for curve in &panel.curves {
            let upper = curve.points.iter().map(|p| (x.at(p.x), y.at(p.y + p.half)));
            let lower = curve.points.iter().rev().map(|p| (x.at(p.x), y.at(p.y - p.half)));
            if curve.points.len() > 1 && curve.points.iter().any(|point| point.half > 0.0) {
                let band: Vec<(i32, i32)> = upper.chain(lower).collect();
                area.draw(&Polygon::new(band, self.colour(curve.name).mix(mix).filled()))?;
            }
        }
        for curve in &panel.curves {
            let colour = self.colour(curve.name);
            let beside = curve.points.iter().filter_map(|p| Some((x.at(p.x), y.at(p.beside?))));
            let beside: Vec<(i32, i32)> = beside.collect();
            if beside.len() > 1 {
                let thin = colour.stroke_width(stroke - 1);
                area.draw(&DashedPathElement::new(beside, 10, 8, thin))?;
            }
            let line: Vec<(i32, i32)> = curve.points.iter().map(|p| (x.at(p.x), y.at(p.y))).collect();
            if line.len() <= 12 {
                for at in &line {
                    area.draw(&Circle::new(*at, r, colour.filled()))?;
                }
            }
            // The band of a single point is drawn as a bar.
            if let ([at], [point]) = (line.as_slice(), curve.points.as_slice()) {
                let bar = vec![(at.0, y.at(point.y - point.half)), (at.0, y.at(point.y + point.half))];
                area.draw(&PathElement::new(bar, colour.stroke_width(stroke)))?;
            }
            area.draw(&PathElement::new(line, colour.stroke_width(stroke)))?;
        }
        Ok(())
    }
}

/// The smallest and the largest size. `None` if all sizes are equal or one is unknown.
fn ends(sizes: &[f64]) -> Option<(f64, f64)> {
    let low = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = sizes.iter().copied().fold(0.0, f64::max);
    (low > 0.0 && high > low).then_some((low, high))
}

/// A short form of a count with a unit: 14464 becomes `14 k`.
fn short_count(value: f64) -> String {
    let units = [(1e9, " B"), (1e6, " M"), (1e3, " k")];
    let found = units.into_iter().find(|(unit, _)| value >= *unit);
    let (scaled, unit) = found.map_or((value, ""), |(unit, name)| (value / unit, name));
    if scaled < 10.0 && !unit.is_empty() {
        format!("{scaled:.1}{unit}")
    } else {
        format!("{scaled:.0}{unit}")
    }
}
