//! Money: prices from the user's file, and a cap that holds with any number of requests under way, because
//! what a request can cost at most is set aside before it is sent. Sums are whole picodollars: a token at
//! 0.01 USD per million is ten thousand of them, and nothing drifts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::provider::{Prompt, Usage};

const PICO: f64 = 1e12;
/// What a message has beside its text: role and separators.
const TOKENS_PER_MESSAGE: u64 = 16;
/// Prices outside of this are most likely per token or per thousand, USD per million.
const CREDIBLE_USD: std::ops::RangeInclusive<f64> = 0.001..=2000.0;

/// What a model costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// A million tokens of prompt.
    pub input_usd_per_million_tokens: f64,
    /// A million tokens of answer, thinking included.
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
    /// [`Error::Read`]; [`Error::Prices`] for another form, a model that is not in it, and prices nobody can
    /// mean.
    pub fn read(path: &Path, model: &str) -> Result<Self> {
        let fault = |reason: String| Error::Prices { path: path.into(), reason };
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let file: PriceFile = toml::from_str(&text).map_err(|error| {
            fault(format!(
                "{error}it holds `date` and, for each model, [models.\"NAME\"] with \
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

    fn pico(&self, prompt_tokens: u64, completion_tokens: u64) -> u64 {
        // USD per million tokens are picodollars per token, times a million.
        let per_token = |usd: f64| (usd * PICO / 1e6).round() as u64;
        prompt_tokens
            .saturating_mul(per_token(self.input_usd_per_million_tokens))
            .saturating_add(completion_tokens.saturating_mul(per_token(self.output_usd_per_million_tokens)))
    }
}

/// Tokens of a prompt: surely not fewer, surely not more. No tokenizer makes more tokens than bytes; hardly
/// one has words of more than eight on average.
pub fn prompt_tokens(prompt: &Prompt) -> (u64, u64) {
    let (bytes, messages) = match prompt {
        Prompt::Text(text) => (text.len() as u64, 1),
        Prompt::Messages(messages) => {
            (messages.iter().map(|message| message.content.len() as u64).sum(), messages.len() as u64)
        }
    };
    (bytes.div_ceil(8), bytes + TOKENS_PER_MESSAGE * messages)
}

/// What was set aside for a request that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    prompt: u64,
    completion: u64,
}

impl Reservation {
    fn sum(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }
}

/// Money spent and set aside.
#[derive(Debug)]
pub struct Budget {
    price: Option<Price>,
    cap: Option<u64>,
    state: Mutex<Balance>,
    settled: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct Balance {
    spent: u64,
    reserved: u64,
}

impl Budget {
    /// With what was spent before. Without a price nothing is counted.
    pub fn new(price: Option<Price>, cap_usd: Option<f64>, spent_usd: f64) -> Self {
        let pico = |usd: f64| (usd * PICO).round() as u64;
        let state = Mutex::new(Balance { spent: pico(spent_usd), reserved: 0 });
        Self { price, cap: cap_usd.map(pico), state, settled: Notify::new() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Balance) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// What a request can cost at most.
    pub fn most(&self, prompt: &Prompt, max_tokens: u32) -> Reservation {
        let (_, tokens) = prompt_tokens(prompt);
        self.most_of(tokens, max_tokens.into())
    }

    /// What so many tokens cost.
    pub fn most_of(&self, prompt_tokens: u64, completion_tokens: u64) -> Reservation {
        let pico = |prompt, completion| self.price.map_or(0, |price| price.pico(prompt, completion));
        Reservation { prompt: pico(prompt_tokens, 0), completion: pico(0, completion_tokens) }
    }

    /// Whether what is spent leaves room for it, whatever is under way.
    pub fn fits(&self, reserve: Reservation) -> bool {
        self.cap.is_none_or(|cap| self.with(|state| state.spent).saturating_add(reserve.sum()) <= cap)
    }

    /// Sets it aside, if need be after waiting for what others have set aside and do not use; `false` if the
    /// cap does not allow it even then.
    pub async fn reserve(&self, reserve: Reservation) -> bool {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // From here on no settlement is missed.
            settled.as_mut().enable();
            match self.try_reserve(reserve) {
                Some(allowed) => return allowed,
                None => settled.await,
            }
        }
    }

    /// `None` if it depends on what is under way.
    fn try_reserve(&self, reserve: Reservation) -> Option<bool> {
        self.with(|state| {
            let allowed = |taken: u64| self.cap.is_none_or(|cap| taken.saturating_add(reserve.sum()) <= cap);
            if allowed(state.spent.saturating_add(state.reserved)) {
                state.reserved += reserve.sum();
                Some(true)
            } else {
                (state.reserved == 0 || !allowed(state.spent)).then_some(false)
            }
        })
    }

    /// Ends a reserve that cost nothing.
    pub fn release(&self, reserve: Reservation) {
        self.with(|state| state.reserved = state.reserved.saturating_sub(reserve.sum()));
        self.settled.notify_waiters();
    }

    /// What was counted of a request costs, with the reserve of what nobody counted.
    fn cost(price: Price, reserve: Reservation, usage: Option<&Usage>) -> u64 {
        let prompt = usage.and_then(|usage| usage.prompt_tokens).map(|tokens| price.pico(tokens, 0));
        let completion = usage.and_then(|usage| usage.completion_tokens).map(|tokens| price.pico(0, tokens));
        prompt.unwrap_or(reserve.prompt).saturating_add(completion.unwrap_or(reserve.completion))
    }

    /// Books what an earlier run left without a price. Gives back the cost.
    pub fn book(&self, reserve: Reservation, usage: Option<&Usage>) -> Option<f64> {
        let cost = Self::cost(self.price?, reserve, usage);
        self.with(|state| state.spent = state.spent.saturating_add(cost));
        Some(cost as f64 / PICO)
    }

    /// Ends a reserve with what was counted, and with all that was set aside for what nobody counted. Gives
    /// back the cost.
    pub fn settle(&self, reserve: Reservation, usage: Option<&Usage>) -> Option<f64> {
        let price = self.price?;
        let cost = Self::cost(price, reserve, usage);
        self.with(|state| {
            state.reserved = state.reserved.saturating_sub(reserve.sum());
            state.spent = state.spent.saturating_add(cost);
        });
        self.settled.notify_waiters();
        Some(cost as f64 / PICO)
    }

    /// A reserve in dollars, where prices are known.
    pub fn usd(&self, reserve: Reservation) -> Option<f64> {
        self.price.map(|_| reserve.sum() as f64 / PICO)
    }

    /// Spent so far, where prices are known.
    pub fn spent_usd(&self) -> Option<f64> {
        self.price.map(|_| self.with(|state| state.spent) as f64 / PICO)
    }

    /// The most that may be spent.
    pub fn cap_usd(&self) -> Option<f64> {
        self.cap.map(|cap| cap as f64 / PICO)
    }

    /// What a number of tokens costs, where prices are known.
    pub fn cost_usd(&self, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        self.price.map(|price| price.pico(prompt_tokens, completion_tokens) as f64 / PICO)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::seed;

    const PRICE: Price = Price { input_usd_per_million_tokens: 0.4, output_usd_per_million_tokens: 1.6 };

    #[test]
    fn a_million_tokens_cost_what_the_file_says() {
        let budget = Budget::new(Some(PRICE), None, 0.0);
        assert_eq!(budget.cost_usd(1_000_000, 0), Some(0.4));
        assert_eq!(budget.cost_usd(0, 1_000_000), Some(1.6));
        assert_eq!(Budget::new(None, None, 0.0).cost_usd(5, 5), None);
    }

    #[test]
    fn what_was_not_counted_costs_what_was_set_aside_for_it() {
        let budget = Budget::new(Some(PRICE), None, 0.0);
        // 8 bytes and 16 for the message are 24 tokens at most, at 0.4; 10 at 1.6.
        let reserve = budget.most(&Prompt::Text("12345678".into()), 10);
        let cost = |prompt_tokens, completion_tokens| {
            budget.settle(reserve, Some(&Usage { prompt_tokens, completion_tokens, ..Usage::default() }))
        };
        assert_eq!(cost(Some(5), Some(0)), Some(2e-6));
        assert_eq!(cost(Some(5), None), Some(18e-6));
        assert_eq!(cost(None, Some(1)), Some(11.2e-6));
        assert_eq!(budget.settle(reserve, None), Some(25.6e-6));
    }

    #[test]
    fn the_cap_holds_in_a_thousand_random_runs_with_many_under_way() {
        for run in 0..1000 {
            let mut rng = seed::stream("test", "budget", run);
            let cap_usd = rng.random_range(1e-4..1e-2);
            let budget = Budget::new(Some(PRICE), Some(cap_usd), 0.0);
            let (mut under_way, mut paid) = (vec![], 0.0);
            for _ in 0..200 {
                if under_way.len() < 32 && rng.random_bool(0.7) {
                    let prompt = Prompt::Text("x".repeat(rng.random_range(1..400)));
                    let reserve = budget.most(&prompt, 64);
                    if budget.try_reserve(reserve) == Some(true) {
                        under_way.push((reserve, prompt));
                    }
                } else if let Some((reserve, prompt)) = under_way.pop() {
                    let usage = Usage {
                        prompt_tokens: rng
                            .random_bool(0.9)
                            .then(|| rng.random_range(1..=prompt_tokens(&prompt).1)),
                        completion_tokens: rng.random_bool(0.9).then(|| rng.random_range(0..=64)),
                        ..Usage::default()
                    };
                    paid += budget.settle(reserve, rng.random_bool(0.9).then_some(&usage)).unwrap();
                }
                let worst: f64 = under_way.iter().filter_map(|(reserve, _)| budget.usd(*reserve)).sum();
                assert!(paid + worst <= cap_usd + 1e-12, "run {run}");
            }
        }
    }

    #[test]
    fn a_price_nobody_can_mean_is_refused() {
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
