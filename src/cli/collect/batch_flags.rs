//! The flags for batches.

use std::time::Duration;

use clap::Args;

use crate::collect::batch::BatchSettings;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
#[command(next_help_heading = "Batches")]
pub(super) struct BatchFlags {
    /// Send requests in batches, which are answered within a day and cost half the normal price at OpenAI,
    /// Anthropic and Gemini; the same command continues an interrupted run
    #[arg(long)]
    batch: bool,
    /// Largest number of requests in a batch [default: the provider's limit]
    #[arg(long, value_name = "N", requires = "batch")]
    batch_size: Option<usize>,
    /// Maximum time to wait for batches, such as 45m or 26h; after this time, the provider continues to
    /// process them, and the same command waits again. 0s creates the batches without waiting
    #[arg(long, value_name = "TIME", default_value = "26h", value_parser = time)]
    batch_timeout: Duration,
    /// Cancel the open batches of the folder, store the answers that have arrived, and send no further
    /// request
    #[arg(long, conflicts_with = "dry_run")]
    cancel: bool,
}

/// Reads a time such as `90s`, `45m`, `26h` or `2d`.
fn time(text: &str) -> std::result::Result<Duration, String> {
    const UNITS: [(char, f64); 4] = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0)];
    const LONGEST_S: f64 = 1e7;
    let malformed = || "must be a number followed by s, m, h or d, such as 45m or 26h".to_owned();
    let unit = text.chars().last().and_then(|last| UNITS.iter().find(|(unit, _)| *unit == last));
    let (_, seconds) = unit.ok_or_else(malformed)?;
    let number: f64 = text[..text.len() - 1].parse().map_err(|_| malformed())?;
    let time_s = number * seconds;
    if (0.0..=LONGEST_S).contains(&time_s) {
        Ok(Duration::from_secs_f64(time_s))
    } else {
        Err("must be from 0s to 115d".into())
    }
}

impl BatchFlags {
    /// The batch settings, or `None` without `--batch` and `--cancel`.
    ///
    /// # Errors
    /// [`Error::Parameter`]
    pub(super) fn settings(&self) -> Result<Option<BatchSettings>> {
        if self.batch_size == Some(0) {
            let reason = "must be at least 1".into();
            return Err(Error::Parameter { name: "--batch-size", reason });
        }
        let Self { batch, batch_size: most_requests, batch_timeout: timeout, cancel } = *self;
        Ok((batch || cancel).then_some(BatchSettings { timeout, most_requests, cancel }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        for bad in ["", "h", "5", "-1s", "NaNs", "infd", "9999d", "2 weeks", "5\u{b5}"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
