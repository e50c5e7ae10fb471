//! Predicted against measured: points with their intervals, and the identity line.

use plotters::prelude::*;

use super::{
    Figure, GREY, LINE, LegendMarker, SMALL, STROKE, TEXT, WIDTH, centred, colour, legend, legend_height,
    range, tick, words,
};
use crate::error::Result;

/// A prediction beside what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Which of the names.
    pub name: usize,
    /// What was measured.
    pub measured: f64,
    /// What was predicted.
    pub predicted: f64,
    /// The ends of its interval.
    pub interval: Option<(f64, f64)>,
}

/// A figure of predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// The points.
    pub pairs: Vec<Pair>,
    /// Names of what has one colour.
    pub names: Vec<String>,
    /// Unit of both axes.
    pub unit: String,
}

impl Scatter {
    /// The figure.
    ///
    /// # Errors
    /// [`crate::Error::Figure`]
    pub fn figure(&self) -> Result<Figure> {
        let mut entries: Vec<(LegendMarker, String)> = self
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| (LegendMarker::Point(colour(at, self.names.len())), name.clone()))
            .collect();
        entries.push((LegendMarker::Dashes(GREY), "predicted = measured".into()));
        let square = 760;
        Figure::draw(square + LINE + legend_height(&entries), |area| {
            let (plot, foot) = area.split_vertically(square);
            let (_, plot) = plot.split_horizontally(40);
            let x = range(self.pairs.iter().map(|pair| pair.measured));
            let ends = |pair: &Pair| pair.interval.unwrap_or((pair.predicted, pair.predicted));
            let y = range(self.pairs.iter().flat_map(|pair| [pair.predicted, ends(pair).0, ends(pair).1]));
            let mut chart = ChartBuilder::on(&plot)
                .margin(8)
                .margin_right(20)
                .x_label_area_size(44)
                .y_label_area_size(66)
                .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
            let (x_span, y_span) = (x.1 - x.0, y.1 - y.0);
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(GREY.mix(0.25))
                .axis_style(GREY.stroke_width(2))
                .x_labels(6)
                .y_labels(6)
                .x_label_formatter(&|value| tick(*value, x_span))
                .y_label_formatter(&|value| tick(*value, y_span))
                .label_style(words(SMALL))
                .draw()?;
            let (from, to) = (x.0.max(y.0), x.1.min(y.1));
            if from < to {
                let identity = [(from, from), (to, to)];
                chart.draw_series(DashedLineSeries::new(identity, 12, 9, GREY.stroke_width(STROKE)))?;
            }
            for pair in &self.pairs {
                let colour = colour(pair.name, self.names.len());
                if let Some((low, high)) = pair.interval {
                    let bar = vec![(pair.measured, low), (pair.measured, high)];
                    chart.draw_series([PathElement::new(bar, colour.mix(0.55).stroke_width(STROKE))])?;
                }
                chart.draw_series([Circle::new((pair.measured, pair.predicted), 9, colour.filled())])?;
            }
            let side = centred(TEXT).transform(FontTransform::Rotate270);
            area.draw(&Text::new(format!("predicted, {}", self.unit), (22, square as i32 / 2), side))?;
            let (label, signs) = foot.split_vertically(LINE);
            let below = format!("measured, {}", self.unit);
            label.draw(&Text::new(below, (WIDTH as i32 / 2 + 40, 14), centred(TEXT)))?;
            legend(&signs, &entries)
        })
    }
}
