//! Rounds values to f32. Each column is scaled first, so that rounding makes as few distinct values equal as
//! possible.

/// Rounds a row-major matrix with `d` columns to f32. Each column gets the scaling that keeps the most values
/// distinct. A column with NaN or infinity is not scaled, so that the caller can still find the invalid
/// value.
pub(super) fn to_f32(values: &[f64], d: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for column in 0..d {
        let own: Vec<f64> = values[column..].iter().step_by(d).copied().collect();
        out[column..].iter_mut().step_by(d).zip(column_to_f32(&own)).for_each(|(out, value)| *out = value);
    }
    out
}

fn column_to_f32(values: &[f64]) -> Vec<f32> {
    let most = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let as_they_are = || values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    if !values.iter().all(|value| value.is_finite()) || most == 0.0 {
        return as_they_are();
    }
    let n = values.len() as f64;
    // Divide by the largest absolute value first, so that no sum overflows.
    let mean = values.iter().map(|value| value / most).sum::<f64>() / n;
    let variance = values.iter().map(|value| (value / most - mean).powi(2)).sum::<f64>() / n;
    // A column whose variation is below the rounding error of f64 counts as constant.
    let sd = if variance.sqrt() > 1e-14 { variance.sqrt() } else { f64::INFINITY };
    let standard: Vec<f32> = values.iter().map(|value| ((value / most - mean) / sd) as f32).collect();
    let distinct = |values: &[f32]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        values.len()
    };
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[values.len() / 2];
    sorted.dedup();
    let mut best = (distinct(&standard), standard);
    if best.0 == sorted.len() || sd == f64::INFINITY {
        return best.1;
    }
    let mut distances: Vec<f64> =
        values.iter().map(|value| (value - median).abs()).filter(|own| *own > 0.0).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let typical = distances.get(distances.len() / 2).copied().unwrap_or(1.0);
    let robust: Vec<f32> = values.iter().map(|value| ((value - median) / typical) as f32).collect();
    for other in [robust, as_they_are()] {
        let apart = distinct(&other);
        if apart > best.0 && other.iter().all(|value| value.is_finite()) {
            best = (apart, other);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_keep_what_f32_would_lose_and_constants_stay_constant() {
        let values = vec![1e9 + 1.0, 7.0, 1e300, 1e9 + 2.0, 7.0, -1e300];
        let seen = to_f32(&values, 3);
        // Without scaling, f32 could not distinguish the two values of the first column.
        let wanted = [-1.0, 0.0, 1.0, 1.0, 0.0, -1.0];
        assert!(seen.iter().zip(wanted).all(|(seen, wanted)| (seen - wanted).abs() < 1e-6), "{seen:?}");
        assert!(to_f32(&[1.0, f64::NAN], 1)[1].is_nan());
        // All values stay distinct in columns with an extreme value or with many orders of magnitude.
        for values in [
            vec![0.1, 0.2, 0.3, 1e12],
            vec![1e-20, 1e-10, 1.0, 1e10, 1e20],
            vec![1e9, 1e9 + 1.0, 1e9 + 2.0, 1e30],
        ] {
            let seen = to_f32(&values, 1);
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        }
    }
}
