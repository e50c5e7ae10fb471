//! Draws heat maps of block by position, one below the other, each with its colour bar. All maps of one
//! report share their scales. Masked rows are grey and excluded from the scale; flagged cells are hatched.

use plotters::prelude::*;

use super::axis::tick;
use super::hatch::hatched;
use super::legend::{LegendMarker, legend, legend_height};
use super::text::{SMALL, TEXT, centred, cut, left, right, upwards};
use super::{Area, DrawResult, Figure, GREY, LINE, WIDTH, contrast, diverging, viridis};
use crate::error::Result;

/// One cell of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatCell {
    /// The value that determines the colour.
    pub value: f64,
    /// Whether the cell is hatched.
    pub is_flagged: bool,
}

/// One map.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// The title above the map.
    pub title: String,
    /// Cells by row (from the bottom) and column. `None` stays white.
    pub cells: Vec<Vec<Option<HeatCell>>>,
    /// Whether the scale is symmetric around 0.
    pub is_signed: bool,
    /// Label of the colour bar.
    pub unit: String,
    /// Bounds of the scale; `None` for the smallest and largest value of the map.
    pub scale: Option<(f64, f64)>,
}

/// A figure of maps that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmaps {
    /// The maps.
    pub maps: Vec<Heatmap>,
    /// Label below the last map.
    pub x_label: String,
    /// Label to the left of each map.
    pub y_label: String,
    /// Labels of the columns.
    pub columns: Vec<String>,
    /// Number of masked rows at the bottom.
    pub n_masked: usize,
    /// Legend entry of masked rows.
    pub mask: String,
    /// Legend entry of hatched cells.
    pub flag: String,
}

/// Left and right edge of the cells, in units of the canvas.
const CELLS: (i32, i32) = (96, 676);
/// Left and right edge of the colour bar.
const SCALE: (i32, i32) = (706, 736);
/// Number of colour steps of the colour bar.
const STEPS: i32 = 64;
/// The colour of masked cells.
const MASK: RGBColor = RGBColor(222, 222, 222);

/// Sets one scale for the first maps of all figures, one for the second maps, and so on.
pub fn share_scales(figures: &mut [Heatmaps]) {
    let most = figures.iter().map(|figure| figure.maps.len()).max().unwrap_or(0);
    for at in 0..most {
        let own = figures.iter().filter_map(|figure| figure.maps.get(at)?.own_scale(figure.n_masked));
        let shared = own.reduce(|(a, b), (low, high)| (a.min(low), b.max(high)));
        figures.iter_mut().filter_map(|figure| figure.maps.get_mut(at)).for_each(|map| map.scale = shared);
    }
}

impl Heatmap {
    /// The scale of this map: the smallest and largest value that is not masked. `None` if there is none.
    fn own_scale(&self, n_masked: usize) -> Option<(f64, f64)> {
        let shown = self.cells.iter().skip(n_masked).flatten().flatten().map(|cell| cell.value);
        let ends = shown.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        ends.map(|(low, high)| {
            let end = low.abs().max(high.abs());
            if self.is_signed { (-end, end) } else { (low, high) }
        })
    }

    fn colour(&self, value: f64, (low, high): (f64, f64)) -> RGBColor {
        let share = (value - low) / (high - low);
        let share = if share.is_nan() { 0.5 } else { share.clamp(0.0, 1.0) };
        if self.is_signed { diverging(2.0 * share - 1.0) } else { viridis(share) }
    }
}

impl Heatmaps {
    /// The figure; `None` if no cell is visible.
    ///
    /// # Errors
    /// [`crate::Error::Figure`] if drawing fails.
    pub fn figure(&self) -> Result<Option<Figure>> {
        let seen = |map: &&Heatmap| map.own_scale(self.n_masked).is_some();
        let maps: Vec<&Heatmap> = self.maps.iter().filter(seen).collect();
        if maps.is_empty() {
            return Ok(None);
        }
        let rows = maps.iter().map(|map| map.cells.len()).max().unwrap_or(1) as i32;
        // The limits keep cells legible for models of two to fifty blocks.
        let cells = (rows * 44).clamp(200, 420);
        let one = cells + LINE as i32 + 56;
        let foot = one * maps.len() as i32 + LINE as i32 + 4;
        let entries = self.entries(&maps);
        let figure = Figure::draw(foot as u32 + legend_height(&entries), |area| {
            for (at, map) in maps.iter().enumerate() {
                self.map(area, map, one * at as i32 + LINE as i32 + 6, cells)?;
            }
            let middle = (CELLS.0 + CELLS.1) / 2;
            area.draw(&Text::new(self.x_label.clone(), (middle, foot - 26), centred(TEXT)))?;
            let (_, signs) = area.split_vertically(foot);
            legend(&signs, &entries)
        });
        figure.map(Some)
    }

    fn entries(&self, maps: &[&Heatmap]) -> Vec<(LegendMarker, String)> {
        let cells = || maps.iter().flat_map(|map| map.cells.iter().enumerate());
        let is_masked = cells().any(|(row, cells)| row < self.n_masked && cells.iter().any(Option::is_some));
        let shown = || cells().filter(|(row, _)| *row >= self.n_masked).flat_map(|(_, cells)| cells);
        let is_flagged = shown().flatten().any(|cell| cell.is_flagged);
        let entries = [
            (is_masked, LegendMarker::Fill(MASK), &self.mask),
            (is_flagged, LegendMarker::Hatch, &self.flag),
        ];
        let there = entries.into_iter().filter(|(is_there, ..)| *is_there);
        there.map(|(_, sign, name)| (sign, name.clone())).collect()
    }

    fn map(&self, area: &Area<'_>, map: &Heatmap, top: i32, height: i32) -> DrawResult {
        let scale = map.scale.or(map.own_scale(self.n_masked)).unwrap_or((0.0, 1.0));
        let is_flat = scale.1 - scale.0 < 1e-12_f64.max(1e-9 * scale.0.abs());
        let scale = if is_flat { (scale.0, scale.0 + scale.0.abs().max(1.0)) } else { scale };
        let (n_rows, n_columns) = (map.cells.len() as i32, self.columns.len() as i32);
        let x = |column: i32| CELLS.0 + (CELLS.1 - CELLS.0) * column / n_columns;
        let y = |row: i32| top + height - height * row / n_rows;
        let title = cut(&map.title, TEXT, WIDTH as i32 - CELLS.0 - 10);
        area.draw(&Text::new(title, (CELLS.0, top - 24), left(TEXT)))?;
        for (row, cells) in map.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let is_masked = row < self.n_masked;
                let (row, column) = (row as i32, column as i32);
                // Cells overlap by one unit, because otherwise white hairlines appear between them.
                let (to, from) = (x(column + 1) + 1, y(row + 1) - 1);
                let corners = [(x(column), from.max(top)), (to.min(CELLS.1), y(row))];
                let colour = if is_masked { MASK } else { map.colour(cell.value, scale) };
                area.draw(&Rectangle::new(corners, colour.filled()))?;
                if cell.is_flagged && !is_masked {
                    hatched(area, [(x(column), y(row + 1)), (x(column + 1), y(row))], contrast(colour))?;
                }
            }
        }
        area.draw(&Rectangle::new([(CELLS.0, top), (CELLS.1, top + height)], GREY.stroke_width(2)))?;
        self.labels(area, (n_rows, n_columns), (top, height))?;
        let beside = (WIDTH as i32 - 20, top + height / 2);
        area.draw(&Text::new(map.unit.clone(), beside, upwards(SMALL)))?;
        bar(area, map, scale, (top, height))
    }

    fn labels(&self, area: &Area<'_>, (rows, columns): (i32, i32), (top, height): (i32, i32)) -> DrawResult {
        let every = |n: i32, most: i32| (1..).find(|step| n <= most * step).unwrap_or(1);
        let (by_row, by_column) = (every(rows, 8), every(columns, 11));
        for row in (0..rows).filter(|row| row % by_row == 0) {
            let middle = top + height - height * (2 * row + 1) / (2 * rows);
            area.draw(&Text::new((row + 1).to_string(), (CELLS.0 - 10, middle), right(SMALL)))?;
        }
        // Count back from the last column, so that this column, whose values are reported, has a label.
        for column in (0..columns).filter(|column| (columns - 1 - column) % by_column == 0) {
            let middle = CELLS.0 + (CELLS.1 - CELLS.0) * (2 * column + 1) / (2 * columns);
            let place = (middle, top + height + 20);
            area.draw(&Text::new(self.columns[column as usize].clone(), place, centred(SMALL)))?;
        }
        area.draw(&Text::new(self.y_label.clone(), (26, top + height / 2), upwards(TEXT)))?;
        Ok(())
    }
}

/// Draws the colour bar of a map.
fn bar(area: &Area<'_>, map: &Heatmap, (low, high): (f64, f64), (top, height): (i32, i32)) -> DrawResult {
    for step in 0..STEPS {
        let (from, to) = (top + height - height * step / STEPS, top + height - height * (step + 1) / STEPS);
        let value = low + (high - low) * (f64::from(step) + 0.5) / f64::from(STEPS);
        let corners = [(SCALE.0, (to - 1).max(top)), (SCALE.1, from)];
        area.draw(&Rectangle::new(corners, map.colour(value, (low, high)).filled()))?;
    }
    for share in [0.0, 0.5, 1.0] {
        let at = top + height - (f64::from(height) * share) as i32;
        let text = tick(low + (high - low) * share, (high - low) / 4.0);
        area.draw(&Text::new(text, (SCALE.1 + 8, at.clamp(top + 10, top + height - 10)), left(SMALL)))?;
    }
    Ok(())
}
