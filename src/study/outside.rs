//! Finds closed models whose measurements lie outside their prediction intervals.

use crate::calibration::PredictionRow;
use crate::numeric::shown::count;

/// A closed model with at least half of its measurements outside their intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The closed model.
    pub model: String,
    /// The number of measurements outside, and the direction of the errors.
    pub finding: String,
}

/// The models with at least half of their measurements outside their intervals, in the order of the rows. A
/// smaller share of misses is expected, because the nominal coverage is below 1.
pub fn outside<'a>(rows: impl IntoIterator<Item = &'a PredictionRow>) -> Vec<Outside> {
    let mut models: Vec<(&str, Vec<&PredictionRow>)> = vec![];
    for row in rows.into_iter().filter(|row| row.is_inside().is_some()) {
        match models.iter_mut().find(|(model, _)| *model == row.target_model) {
            Some((_, own)) => own.push(row),
            None => models.push((&row.target_model, vec![row])),
        }
    }
    let found = models.into_iter().filter_map(|(model, rows)| {
        let errors = rows.iter().filter(|row| row.is_inside() == Some(false)).filter_map(|row| row.error());
        let errors: Vec<f64> = errors.collect();
        let (n, high) = (errors.len(), errors.iter().filter(|error| **error > 0.0).count());
        (n > 0 && 2 * n >= rows.len()).then(|| {
            let side = match high {
                0 => "predicted too low".to_owned(),
                all if all == n => "predicted too high".to_owned(),
                _ => format!("{high} predicted too high and {} too low", n - high),
            };
            let all = if n > 1 && (high == 0 || high == n) { "all " } else { "" };
            let lie = if n == 1 { "lies outside its" } else { "lie outside their" };
            let of = count(rows.len(), "measurement");
            Outside { model: model.to_owned(), finding: format!("{n} of {of} {lie} interval, {all}{side}") }
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, y_hat: f64, measured: Option<f64>) -> PredictionRow {
        PredictionRow {
            target_model: model.into(),
            y_hat: Some(y_hat),
            low: Some(y_hat - 0.1),
            high: Some(y_hat + 0.1),
            measured,
            in_training: Some(false),
            ..PredictionRow::default()
        }
    }

    #[test]
    fn models_with_half_of_their_measurements_outside_are_named_with_the_side() {
        let rows = [
            row("a", 0.5, Some(0.1)),
            row("a", 0.5, Some(0.55)),
            row("a", 0.5, Some(0.2)),
            row("b", 0.5, Some(0.9)),
            row("b", 0.5, Some(0.5)),
            row("b", 0.5, Some(0.5)),
            row("c", 0.5, Some(0.9)),
            row("d", 0.5, None),
            row("e", 0.5, Some(0.9)),
            row("e", 0.5, Some(0.1)),
        ];
        let found: Vec<String> =
            outside(&rows).into_iter().map(|of| format!("{}: {}", of.model, of.finding)).collect();
        let wanted = [
            "a: 2 of 3 measurements lie outside their interval, all predicted too high",
            "c: 1 of 1 measurement lies outside its interval, predicted too low",
            "e: 2 of 2 measurements lie outside their interval, 1 predicted too high and 1 too low",
        ];
        assert_eq!(found, wanted);
    }
}
