//! Detects attention sinks: in many trained models, the state at position 0 has a far larger norm than the
//! states at all other positions. A token without context is at position 0, so in these models the micro
//! information measures the sink.
//!
//! # References
//! Xiao, Tian, Chen, Han, Lewis, arXiv 2309.17453; Sun, Chen, Kolter, Liu, arXiv 2402.17762.

use crate::corpus::Corpus;
use crate::error::Result;
use crate::model::decoder::Decoder;
use crate::model::{Point, States};
use crate::numeric::statistics::median;

/// Number of windows to check. A few windows are enough, because the norm at a sink is orders of magnitude
/// larger than other norms.
const WINDOWS: usize = 16;

/// For each block `1..=L`, the median norm of its output at position 0, divided by the median norm at the
/// other positions of the same windows. `None` if windows have a single token, or the median norm at other
/// positions is 0.
///
/// # Errors
/// Returns the errors of [`States::within`].
pub(super) fn position_0_norm_ratios(
    decoder: &Decoder,
    name: &str,
    corpus: &Corpus,
    room_bytes: Option<u64>,
) -> Result<Vec<Option<f64>>> {
    let windows: Vec<Vec<u32>> =
        corpus.windows.iter().take(WINDOWS).map(|window| window.ids.clone()).collect();
    let points: Vec<Point> =
        windows.iter().enumerate().flat_map(|(w, ids)| (0..ids.len()).map(move |t| (w, t))).collect();
    let states = States::within(decoder, name, &windows, &points, room_bytes)?;
    let (first, others): (Vec<Point>, Vec<Point>) = points.into_iter().partition(|(_, t)| *t == 0);
    let norms = |l: usize, points: &[Point]| -> Result<Vec<f64>> {
        let norm =
            |row: ndarray::ArrayView1<f32>| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        Ok(states.rows(l, points)?.outer_iter().map(norm).collect())
    };
    (1..=decoder.spec().n_layers)
        .map(|l| Ok(ratio(median(norms(l, &first)?), median(norms(l, &others)?))))
        .collect()
}

fn ratio(first: Option<f64>, others: Option<f64>) -> Option<f64> {
    first.zip(others).map(|(first, others)| first / others).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_of_medians_is_missing_where_there_is_nothing_to_compare_with() {
        assert_eq!(ratio(median(vec![20.0]), median(vec![3.0, 1.0, 2.0])), Some(10.0));
        assert_eq!(ratio(Some(1.0), median(vec![])), None);
        assert_eq!(ratio(Some(1.0), Some(0.0)), None);
    }
}
