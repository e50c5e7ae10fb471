//! Heatmaps maps of block by position, one below the other, each with its own scale beside it.

use plotters::prelude::*;

use super::{
    Area, DrawResult, Figure, GREY, LINE, SMALL, TEXT, WIDTH, centred, diverging, left, right, tick, viridis,
};
use crate::error::Result;

/// One map.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// What stands above it.
    pub title: String,
    /// Values by row, from below, and column; `None` is left white.
    pub values: Vec<Vec<Option<f64>>>,
    /// Whether 0 is the middle of its scale.
    pub signed: bool,
}

/// A figure of maps that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmaps {
    /// The maps.
    pub maps: Vec<Heatmap>,
    /// Below the last.
    pub x_label: String,
    /// Beside each.
    pub y_label: String,
    /// Beside the scales.
    pub unit: String,
    /// Name of each column.
    pub columns: Vec<String>,
}

/// Left and right of the cells, in units of the canvas.
const CELLS: (i32, i32) = (96, 676);
/// Left and right of the scale.
const SCALE: (i32, i32) = (706, 736);
/// Steps of a scale.
const STEPS: i32 = 64;

impl Heatmaps {
    /// The figure.
    ///
    /// # Errors
    /// [`crate::Error::Figure`]
    pub fn figure(&self) -> Result<Figure> {
        let rows = self.maps.iter().map(|map| map.values.len()).max().unwrap_or(1) as i32;
        // Cells stay legible for two blocks and for fifty.
        let cells = (rows * 44).clamp(170, 420);
        let one = cells + LINE as i32 + 56;
        let height = one * self.maps.len() as i32 + LINE as i32;
        Figure::draw(height as u32, |area| {
            for (at, map) in self.maps.iter().enumerate() {
                self.map(area, map, one * at as i32 + LINE as i32 + 6, cells)?;
            }
            let middle = (CELLS.0 + CELLS.1) / 2;
            area.draw(&Text::new(self.x_label.clone(), (middle, height - 24), centred(TEXT)))?;
            Ok(())
        })
    }

    fn map(&self, area: &Area<'_>, map: &Heatmap, top: i32, height: i32) -> DrawResult {
        let values = || map.values.iter().flatten().copied().flatten();
        let (mut low, mut high) =
            values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if map.signed {
            high = low.abs().max(high.abs());
            low = -high;
        }
        if high - low < 1e-12 {
            high = low + 1.0;
        }
        let shade = |value: f64| {
            let share = (value - low) / (high - low);
            if map.signed { diverging(2.0 * share - 1.0) } else { viridis(share) }
        };
        let (n_rows, n_columns) = (map.values.len() as i32, self.columns.len() as i32);
        let x = |column: i32| CELLS.0 + (CELLS.1 - CELLS.0) * column / n_columns;
        let y = |row: i32| top + height - height * row / n_rows;
        area.draw(&Text::new(map.title.clone(), (CELLS.0, top - 24), left(TEXT)))?;
        for (row, cells) in map.values.iter().enumerate() {
            for (column, value) in cells.iter().enumerate() {
                let (row, column) = (row as i32, column as i32);
                if let Some(value) = value {
                    // Cells overlap by a unit, or hairlines of the ground show between them.
                    let (to, from) = (x(column + 1) + 1, y(row + 1) - 1);
                    let corners = [(x(column), from.max(top)), (to.min(CELLS.1), y(row))];
                    area.draw(&Rectangle::new(corners, shade(*value).filled()))?;
                }
            }
        }
        area.draw(&Rectangle::new([(CELLS.0, top), (CELLS.1, top + height)], GREY.stroke_width(2)))?;
        let every = |n: i32, most: i32| (1..).find(|step| n <= most * step).unwrap_or(1);
        let (by_row, by_column) = (every(n_rows, 8), every(n_columns, 11));
        for row in (0..n_rows).filter(|row| row % by_row == 0) {
            let middle = (y(row) + y(row + 1)) / 2;
            area.draw(&Text::new((row + 1).to_string(), (CELLS.0 - 10, middle), right(SMALL)))?;
        }
        // The last column is the one that is reported; the others are counted back from it.
        for column in (0..n_columns).filter(|column| (n_columns - 1 - column) % by_column == 0) {
            let middle = (x(column) + x(column + 1)) / 2;
            area.draw(&Text::new(
                self.columns[column as usize].clone(),
                (middle, top + height + 20),
                centred(SMALL),
            ))?;
        }
        let sideways = || centred(TEXT).transform(FontTransform::Rotate270);
        area.draw(&Text::new(self.y_label.clone(), (26, top + height / 2), sideways()))?;
        area.draw(&Text::new(self.unit.clone(), (WIDTH as i32 - 20, top + height / 2), sideways()))?;
        for step in 0..STEPS {
            let (from, to) =
                (top + height - height * step / STEPS, top + height - height * (step + 1) / STEPS);
            let value = low + (high - low) * (f64::from(step) + 0.5) / f64::from(STEPS);
            area.draw(&Rectangle::new(
                [(SCALE.0, (to - 1).max(top)), (SCALE.1, from)],
                shade(value).filled(),
            ))?;
        }
        for share in [0.0, 0.5, 1.0] {
            let at = top + height - (f64::from(height) * share) as i32;
            let text = tick(low + (high - low) * share, (high - low) / 4.0);
            area.draw(&Text::new(text, (SCALE.1 + 8, at.clamp(top + 10, top + height - 10)), left(SMALL)))?;
        }
        Ok(())
    }
}
