//! Prices of models, from the user's file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Picodollars in a dollar.
pub(super) const PICO: f64 = 1e12;
/// Prices outside of this are most likely per token or per thousand, USD per million.
const CREDIBLE_USD: std::ops::RangeInclusive<f64> = 0.001..=2000.0;

/// The price of a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Price of a million prompt tokens.
    pub input_usd_per_million_tokens: f64,
    /// Price of a million answer tokens, reasoning included.
    pub output_usd_per_million_tokens: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    date: toml::value::Datetime,
    models: BTreeMap<String, Price>,
}

impl Price {
    /// The price of a model in a file such as
    ///
    /// ```toml
    /// date = 2026-11-01
    ///
    /// [models."some-model"]
    /// input_usd_per_million_tokens = 0.4
    /// output_usd_per_million_tokens = 1.6
    /// ```
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Prices`] for another form, a model that is not in it, and implausible
    /// prices.
    pub fn read(path: &Path, model: &str) -> Result<Self> {
        let fault = |reason: String| Error::Prices { path: path.into(), reason };
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let file: PriceFile = toml::from_str(&text).map_err(|error| {
            fault(format!(
                "{error}it must contain `date` and, for each model, [models.\"NAME\"] with \
                 input_usd_per_million_tokens and output_usd_per_million_tokens"
            ))
        })?;
        if file.date.date.is_none() {
            return Err(fault("`date` must be the day the prices were looked up, as 2026-11-01".into()));
        }
        let price = *file.models.get(model).ok_or_else(|| {
            let known: Vec<_> = file.models.keys().map(String::as_str).collect();
            fault(format!(
                "has no price of `{model}`, only of {}; add [models.\"{model}\"]",
                known.join(", ")
            ))
        })?;
        for (name, value) in [
            ("input_usd_per_million_tokens", price.input_usd_per_million_tokens),
            ("output_usd_per_million_tokens", price.output_usd_per_million_tokens),
        ] {
            if !CREDIBLE_USD.contains(&value) {
                let reason = format!(
                    "{name} of `{model}` is {value}, and should be from {} to {}: is the unit a million \
                     tokens?",
                    CREDIBLE_USD.start(),
                    CREDIBLE_USD.end()
                );
                return Err(fault(reason));
            }
        }
        Ok(price)
    }

    pub(super) fn pico(&self, prompt_tokens: u64, completion_tokens: u64) -> u64 {
        // USD per million tokens are picodollars per token, times a million.
        let per_token = |usd: f64| (usd * PICO / 1e6).round() as u64;
        prompt_tokens
            .saturating_mul(per_token(self.input_usd_per_million_tokens))
            .saturating_add(completion_tokens.saturating_mul(per_token(self.output_usd_per_million_tokens)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price { input_usd_per_million_tokens: 0.4, output_usd_per_million_tokens: 1.6 };

    #[test]
    fn implausible_prices_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Price::read(&path, "m")
        };
        let row = |input: &str| {
            format!(
                "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = \
                 {input}\noutput_usd_per_million_tokens = 1.6\n"
            )
        };
        assert_eq!(read(&row("0.4")).unwrap(), PRICE);
        for (text, says) in [
            (row("0.0000004"), "per token"),
            (row("0"), "million"),
            (row("nan"), "million"),
            (row("-1"), "million"),
            (row("0.4").replace("models.m", "models.other"), "no price of `m`, only of other"),
            (row("0.4").replace("date = 2026-11-01\n", ""), "date"),
            (row("0.4").replace("output_usd", "out_usd"), "unknown field"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(
                error.contains(says) || error.contains("is the unit a million tokens"),
                "{says}: {error}"
            );
        }
    }
}
