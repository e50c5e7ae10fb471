//! Reads the prices of models from the user's file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::rates::Rates;
use crate::disk;
use crate::error::{Error, Result};

/// Plausible prices in USD per million tokens. A price outside this range is most likely per token or per
/// thousand tokens.
const CREDIBLE_USD: std::ops::RangeInclusive<f64> = 0.001..=2000.0;
/// Names that servers give to the service tier with the usual prices.
const USUAL_TIERS: [&str; 6] = ["default", "standard", "auto", "on_demand", "on-demand", ""];

/// The price of a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Price {
    /// The usual prices.
    pub usual: Rates,
    /// Prices of other service tiers, by the server's name of the tier.
    pub tiers: BTreeMap<String, Rates>,
    /// Factor by which prices are multiplied for answers in a batch; `None` if it is not given.
    pub batch_factor: Option<f64>,
}

/// Name of the service tier whose prices, if given, apply to batches.
const BATCH_TIER: &str = "batch";

impl From<Rates> for Price {
    fn from(usual: Rates) -> Self {
        Self { usual, ..Self::default() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    date: toml::value::Datetime,
    #[serde(default)]
    batch_factor: Option<f64>,
    models: BTreeMap<String, toml::Table>,
}

impl Price {
    /// Reads the price of a model from a file such as
    ///
    /// ```toml
    /// date = 2026-11-01
    /// # Factor by which prices are multiplied for answers in a batch. A model may have its own factor.
    /// batch_factor = 0.5
    ///
    /// [models."some-model"]
    /// input_usd_per_million_tokens = 0.4
    /// output_usd_per_million_tokens = 1.6
    /// # Optional. By default, the price of the other input or output tokens.
    /// cached_input_usd_per_million_tokens = 0.1
    /// cache_write_usd_per_million_tokens = 0.5
    /// reasoning_usd_per_million_tokens = 1.6
    /// audio_input_usd_per_million_tokens = 10.0
    /// audio_output_usd_per_million_tokens = 20.0
    ///
    /// # Prices of answers whose `service_tier` is `priority`.
    /// [models."some-model".tiers.priority]
    /// input_usd_per_million_tokens = 0.8
    /// output_usd_per_million_tokens = 3.2
    /// ```
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Prices`] if the format of the file is wrong, the model is missing, or a
    /// price is implausible.
    pub fn read(path: &Path, model: &str) -> Result<Self> {
        let fault = |reason: String| Error::Prices { path: path.into(), reason };
        let malformed = |error: toml::de::Error| {
            fault(format!(
                "{error}the file must contain `date` and, for each model, [models.\"NAME\"] with \
                 input_usd_per_million_tokens and output_usd_per_million_tokens"
            ))
        };
        let text = disk::read_text(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let file: PriceFile = toml::from_str(&text).map_err(malformed)?;
        if file.date.date.is_none() {
            return Err(fault(
                "`date` must be the day on which the prices were looked up, such as 2026-11-01".into(),
            ));
        }
        let mut rows = BTreeMap::new();
        for (name, table) in &file.models {
            rows.insert(name, Self::of(table.clone()).map_err(malformed)?);
        }
        let price = rows.remove(&model.to_owned()).ok_or_else(|| {
            let known: Vec<_> = file.models.keys().map(String::as_str).collect();
            fault(format!(
                "has no price for `{model}`, only for {}; add a table [models.\"{model}\"]",
                known.join(", ")
            ))
        })?;
        let tiers = price.tiers.iter().map(|(tier, rates)| (format!("{model}.tiers.{tier}"), rates));
        for (place, rates) in std::iter::once((model.to_owned(), &price.usual)).chain(tiers) {
            check(&place, rates).map_err(fault)?;
        }
        let batch_factor = price.batch_factor.or(file.batch_factor);
        if let Some(factor) = batch_factor.filter(|factor| !(*factor > 0.0 && *factor <= 1.0)) {
            return Err(fault(format!(
                "batch_factor is {factor}, but must be above 0 and at most 1: prices are multiplied by this \
                 factor for answers in a batch, such as 0.5 for half the price"
            )));
        }
        Ok(Self { batch_factor, ..price })
    }

    fn of(mut table: toml::Table) -> std::result::Result<Self, toml::de::Error> {
        let tiers = table.remove("tiers").map(toml::Value::try_into).transpose()?.unwrap_or_default();
        let batch_factor = table.remove("batch_factor").map(toml::Value::try_into).transpose()?;
        Ok(Self { usual: table.try_into()?, tiers, batch_factor })
    }

    /// The prices of answers in a batch, and the factor by which they are multiplied.
    pub(super) fn at_batch(&self, tier: Option<&str>) -> (&Rates, f64) {
        match self.tiers.get(BATCH_TIER) {
            Some(rates) => (rates, 1.0),
            None => (self.at(tier), self.batch_factor.unwrap_or(1.0)),
        }
    }

    /// The highest cost of a request with these numbers of tokens in a batch, as the costs of the prompt and
    /// of the answer in picodollars.
    pub(super) fn most_batch_pico(&self, prompt_tokens: u64, completion_tokens: u64) -> (u64, u64) {
        let (rates, factor) = self.at_batch(None);
        let (prompt, completion) = match self.tiers.get(BATCH_TIER) {
            Some(_) => rates.most_pico(prompt_tokens, completion_tokens),
            None => self.most_pico(prompt_tokens, completion_tokens),
        };
        (share(prompt, factor), share(completion, factor))
    }

    /// The prices at a service tier; the usual prices if the tier has no prices of its own.
    pub(super) fn at(&self, tier: Option<&str>) -> &Rates {
        tier.and_then(|tier| self.tiers.get(tier)).unwrap_or(&self.usual)
    }

    /// Whether the prices of a tier are unknown: the price file does not contain the tier, and the usual
    /// prices do not apply to it.
    pub(super) fn is_unpriced(&self, tier: &str) -> bool {
        tier != BATCH_TIER && !USUAL_TIERS.contains(&tier) && !self.tiers.contains_key(tier)
    }

    /// The highest cost of a request with these numbers of tokens at any tier, as the costs of the prompt and
    /// of the answer in picodollars.
    pub(super) fn most_pico(&self, prompt_tokens: u64, completion_tokens: u64) -> (u64, u64) {
        let all = std::iter::once(&self.usual).chain(self.tiers.values());
        all.map(|rates| rates.most_pico(prompt_tokens, completion_tokens))
            .fold((0, 0), |most, (prompt, completion)| (most.0.max(prompt), most.1.max(completion)))
    }
}

/// Multiplies a cost in picodollars by a factor, and rounds up.
pub(super) fn share(pico: u64, factor: f64) -> u64 {
    if factor == 1.0 { pico } else { (pico as f64 * factor).ceil() as u64 }
}

/// Returns an error for an implausible price. An optional price may be 0.
fn check(place: &str, rates: &Rates) -> std::result::Result<(), String> {
    for (i, (name, value)) in rates.named().into_iter().enumerate() {
        let Some(value) = value else { continue };
        let is_free_part = i >= 2 && value == 0.0;
        if !is_free_part && !CREDIBLE_USD.contains(&value) {
            return Err(format!(
                "{name} of `{place}` is {value}, but should be from {} to {}; give the price in USD per \
                 million tokens",
                CREDIBLE_USD.start(),
                CREDIBLE_USD.end()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Price {
        let rates = Rates {
            input_usd_per_million_tokens: 0.4,
            output_usd_per_million_tokens: 1.6,
            ..Rates::default()
        };
        rates.into()
    }

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
        assert_eq!(read(&row("0.4")).unwrap(), usual());
        let more = "cached_input_usd_per_million_tokens = 0\nreasoning_usd_per_million_tokens = 2\n\
                    [models.m.tiers.priority]\ninput_usd_per_million_tokens = 0.8\n\
                    output_usd_per_million_tokens = 3.2\n";
        let price = read(&(row("0.4") + more)).unwrap();
        assert_eq!(price.usual.reasoning_usd_per_million_tokens, Some(2.0));
        assert_eq!(price.at(Some("priority")).input_usd_per_million_tokens, 0.8);
        assert_eq!(price.at(Some("flex")), &price.usual);
        assert!(price.is_unpriced("flex") && !price.is_unpriced("default") && !price.is_unpriced("priority"));
        assert_eq!(price.most_pico(1, 1), (800_000, 3_200_000));
        assert!(read(&(row("0.4") + &more.replace("0.8", "0.0000008"))).is_err());
        let of_all = row("0.4").replace("[models.m]", "batch_factor = 0.4\n[models.m]");
        assert_eq!(read(&of_all).unwrap().most_batch_pico(1, 1), (160_000, 640_000));
        let price = read(&(of_all.clone() + "batch_factor = 0.25\n")).unwrap();
        assert_eq!((price.batch_factor, price.most_batch_pico(1, 1)), (Some(0.25), (100_000, 400_000)));
        let own = "[models.m.tiers.batch]\ninput_usd_per_million_tokens = 0.1\n\
                   output_usd_per_million_tokens = 0.3\n";
        let price = read(&(of_all.clone() + own)).unwrap();
        assert_eq!((price.most_batch_pico(1, 1), price.at_batch(Some("batch")).1), ((100_000, 300_000), 1.0));
        for factor in ["0", "1.5", "nan", "-0.5"] {
            let error = read(&of_all.replace("0.4\n[", &format!("{factor}\n["))).unwrap_err().to_string();
            assert!(error.contains("batch_factor is"), "{error}");
        }
        for (text, says) in [
            (row("0.0000004"), "per token"),
            (row("0"), "million"),
            (row("nan"), "million"),
            (row("-1"), "million"),
            (row("0.4").replace("models.m", "models.other"), "no price for `m`, only for other"),
            (row("0.4").replace("date = 2026-11-01\n", ""), "date"),
            (row("0.4").replace("output_usd", "out_usd"), "unknown field"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(says) || error.contains("in USD per million tokens"), "{says}: {error}");
        }
    }
}
