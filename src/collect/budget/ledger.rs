//! Enforces the spending cap. The maximum cost of a request is reserved before the request is sent, so the
//! cap is kept with any number of requests in flight. Amounts are integers in picodollars (1e-12 USD), so
//! that no rounding error accumulates: a token at 0.01 USD per million tokens costs ten thousand picodollars.

use std::sync::Mutex;

use tokio::sync::Notify;

use super::price::{Price, share};
use super::rates::PICO;
use super::reservation::Reservation;
use super::tokens::prompt_tokens;
use crate::provider::{Prompt, Usage};

/// The spending cap of a run, with the money spent and reserved.
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
    /// Money reserved for individual requests in flight, which are settled soon.
    reserved: u64,
    /// Money reserved for requests in batches. No request waits until this money is released, because a batch
    /// may end only in a later run.
    held: u64,
    /// Two sums in USD over the answers for which the server states a cost: the cost at the user's prices,
    /// and the stated cost.
    stated: (f64, f64),
}

impl Balance {
    /// The sum to which a reservation belongs: `held` for batches, otherwise `reserved`.
    fn part(&mut self, reserve: Reservation) -> &mut u64 {
        if reserve.by_batch { &mut self.held } else { &mut self.reserved }
    }
}

impl Budget {
    /// Creates a budget of which `spent_usd` is already spent. Without a price, costs are not counted.
    pub fn new(price: Option<Price>, cap_usd: Option<f64>, spent_usd: f64) -> Self {
        let pico = |usd: f64| (usd * PICO).round() as u64;
        let state = Mutex::new(Balance { spent: pico(spent_usd), ..Balance::default() });
        Self { price, cap: cap_usd.map(pico), state, settled: Notify::new() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Balance) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The maximum cost of a request.
    pub fn most(&self, prompt: &Prompt, max_tokens: u32) -> Reservation {
        let (_, tokens) = prompt_tokens(prompt);
        self.max_cost(tokens, max_tokens.into())
    }

    /// The maximum cost of a request with these numbers of tokens.
    pub fn max_cost(&self, prompt_tokens: u64, completion_tokens: u64) -> Reservation {
        let most = |price: &Price| price.most_pico(prompt_tokens, completion_tokens);
        let (prompt, completion) = self.price.as_ref().map_or((0, 0), most);
        Reservation { prompt, completion, prompt_tokens, completion_tokens, by_batch: false }
    }

    /// The maximum cost of a request in a batch.
    pub fn most_by_batch(&self, prompt: &Prompt, max_tokens: u32) -> Reservation {
        let (_, tokens) = prompt_tokens(prompt);
        self.max_batch_cost(tokens, max_tokens.into())
    }

    /// The maximum cost of a request in a batch with these numbers of tokens.
    pub fn max_batch_cost(&self, prompt_tokens: u64, completion_tokens: u64) -> Reservation {
        let most = |price: &Price| price.most_batch_pico(prompt_tokens, completion_tokens);
        let (prompt, completion) = self.price.as_ref().map_or((0, 0), most);
        Reservation { prompt, completion, prompt_tokens, completion_tokens, by_batch: true }
    }

    /// The reservation of a request in a batch that an earlier run sent, as recorded in the journal.
    pub fn restored(&self, usd: f64, prompt_tokens: u64, completion_tokens: u64) -> Reservation {
        let most = self.max_batch_cost(prompt_tokens, completion_tokens);
        let sum = (usd * PICO).round() as u64;
        let completion = most.completion.min(sum);
        Reservation { prompt: sum - completion, completion, ..most }
    }

    /// Reserves money for a request that an earlier run sent, regardless of the cap.
    pub fn hold(&self, reserve: Reservation) {
        self.with(|state| {
            let part = state.part(reserve);
            *part = part.saturating_add(reserve.sum());
        });
    }

    /// Reserves money if the cap allows it in addition to all other reservations. Does not wait.
    pub fn reserve_now(&self, reserve: Reservation) -> bool {
        self.try_reserve(reserve) == Some(true)
    }

    /// Whether the cap allows a reservation in addition to the money spent and the money reserved for
    /// batches. Ignores requests in flight.
    pub fn fits(&self, reserve: Reservation) -> bool {
        let taken = self.with(|state| state.spent.saturating_add(state.held));
        self.cap.is_none_or(|cap| taken.saturating_add(reserve.sum()) <= cap)
    }

    /// Reserves money. If the cap requires it, waits until other reservations are settled. Returns `false` if
    /// the cap does not allow the reservation even then.
    pub async fn reserve(&self, reserve: Reservation) -> bool {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // The waiter is registered before the check, so that a settlement between the check and the wait
            // wakes it.
            settled.as_mut().enable();
            match self.try_reserve(reserve) {
                Some(allowed) => return allowed,
                None => settled.await,
            }
        }
    }

    /// Tries to reserve money. Returns `None` if the cap may allow the reservation after requests in flight
    /// are settled.
    fn try_reserve(&self, reserve: Reservation) -> Option<bool> {
        self.with(|state| {
            let allowed = |taken: u64| self.cap.is_none_or(|cap| taken.saturating_add(reserve.sum()) <= cap);
            let settled = state.spent.saturating_add(state.held);
            if allowed(settled.saturating_add(state.reserved)) {
                *state.part(reserve) += reserve.sum();
                Some(true)
            } else {
                (state.reserved == 0 || !allowed(settled)).then_some(false)
            }
        })
    }

    /// Releases the reservation of a request that cost nothing.
    pub fn release(&self, reserve: Reservation) {
        self.with(|state| {
            let part = state.part(reserve);
            *part = part.saturating_sub(reserve.sum());
        });
        self.settled.notify_waiters();
    }

    /// The cost of the counted tokens at a service tier. If the server does not count the tokens of the
    /// prompt or of the answer, their reserved cost is used. Implausible counts are ignored, because a wrong
    /// count could use up the cap.
    fn cost(price: &Price, reserve: Reservation, usage: Option<&Usage>, tier: Option<&str>) -> u64 {
        let (rates, factor) = if reserve.by_batch { price.at_batch(tier) } else { (price.at(tier), 1.0) };
        let usage = usage.filter(|usage| !reserve.is_exceeded_by(usage));
        let prompt = usage.and_then(|usage| rates.prompt_pico(usage)).map(|pico| share(pico, factor));
        let completion = usage.and_then(|usage| rates.completion_pico(usage)).map(|pico| share(pico, factor));
        prompt.unwrap_or(reserve.prompt).saturating_add(completion.unwrap_or(reserve.completion))
    }

    /// Adds the cost of a request that an earlier run sent when no price was known. Returns the cost in USD.
    pub fn book(&self, reserve: Reservation, usage: Option<&Usage>, tier: Option<&str>) -> Option<f64> {
        let cost = Self::cost(self.price.as_ref()?, reserve, usage, tier);
        self.with(|state| state.spent = state.spent.saturating_add(cost));
        Some(cost as f64 / PICO)
    }

    /// Settles a reservation with the cost of the counted tokens. If the server does not count the tokens of
    /// the prompt or of the answer, their reserved cost is used. Returns the cost in USD.
    pub fn charge(&self, reserve: Reservation, usage: Option<&Usage>, tier: Option<&str>) -> Option<f64> {
        let cost = Self::cost(self.price.as_ref()?, reserve, usage, tier);
        self.with(|state| {
            let part = state.part(reserve);
            *part = part.saturating_sub(reserve.sum());
            state.spent = state.spent.saturating_add(cost);
        });
        self.settled.notify_waiters();
        Some(cost as f64 / PICO)
    }

    /// Whether prices are known, but no price for this service tier.
    pub fn is_unpriced(&self, tier: &str) -> bool {
        self.price.as_ref().is_some_and(|price| price.is_unpriced(tier))
    }

    /// Adds the cost of an answer at the user's prices to one sum, and the cost that the server states to
    /// another. Returns both sums if they differ by more than 5 % and by more than 0.001 USD.
    pub fn compare(&self, ours_usd: f64, theirs_usd: f64) -> Option<(f64, f64)> {
        const SHARE: f64 = 0.05;
        const LEAST_USD: f64 = 0.001;
        let (ours, theirs) = self.with(|state| {
            state.stated = (state.stated.0 + ours_usd, state.stated.1 + theirs_usd);
            state.stated
        });
        let difference = (ours - theirs).abs();
        (difference > LEAST_USD && difference > SHARE * ours.max(theirs)).then_some((ours, theirs))
    }

    /// A reservation in dollars, if prices are known.
    pub fn usd(&self, reserve: Reservation) -> Option<f64> {
        self.price.as_ref().map(|_| reserve.sum() as f64 / PICO)
    }

    /// The money spent so far, in dollars, if prices are known.
    pub fn spent_usd(&self) -> Option<f64> {
        self.price.as_ref().map(|_| self.with(|state| state.spent) as f64 / PICO)
    }

    /// The part of a message that states the amount reserved for open batches; empty if the amount is 0.
    pub fn held_text(&self) -> String {
        match self.with(|state| state.held) {
            0 => String::new(),
            held => {
                let usd = held as f64 / PICO;
                format!(", {usd:.6} are reserved for batches that have not ended")
            }
        }
    }

    /// The spending cap in dollars.
    pub fn cap_usd(&self) -> Option<f64> {
        self.cap.map(|cap| cap as f64 / PICO)
    }

    /// The cost of these numbers of tokens in a batch, in dollars, if prices are known.
    pub fn batch_cost_usd(&self, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        let (rates, factor) = self.price.as_ref()?.at_batch(None);
        let plain: Price = (*rates).into();
        Some(Self::new(Some(plain), None, 0.0).cost_usd(prompt_tokens, completion_tokens)? * factor)
    }

    /// The cost of these numbers of tokens, in dollars, if prices are known.
    pub fn cost_usd(&self, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        let counted = Usage {
            prompt_tokens: Some(prompt_tokens),
            completion_tokens: Some(completion_tokens),
            ..Usage::default()
        };
        let rates = self.price.as_ref()?.at(None);
        Some((rates.prompt_pico(&counted)?.saturating_add(rates.completion_pico(&counted)?)) as f64 / PICO)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::collect::budget::rates::Rates;
    use crate::seed;

    fn price() -> Price {
        let rates = Rates {
            input_usd_per_million_tokens: 0.4,
            output_usd_per_million_tokens: 1.6,
            ..Rates::default()
        };
        rates.into()
    }

    #[test]
    fn a_million_tokens_cost_what_the_file_says() {
        let budget = Budget::new(Some(price()), None, 0.0);
        assert_eq!(budget.cost_usd(1_000_000, 0), Some(0.4));
        assert_eq!(budget.cost_usd(0, 1_000_000), Some(1.6));
        assert_eq!(Budget::new(None, None, 0.0).cost_usd(5, 5), None);
    }

    #[test]
    fn what_was_not_counted_costs_what_was_set_aside_for_it() {
        let budget = Budget::new(Some(price()), None, 0.0);
        // The prompt has at most 24 tokens (8 for its bytes, 16 for the message) at 0.4 USD per million
        // tokens. The answer has at most 10 tokens at 1.6 USD per million.
        let reserve = budget.most(&Prompt::Text("12345678".into()), 10);
        let cost = |prompt_tokens, completion_tokens| {
            budget.charge(
                reserve,
                Some(&Usage { prompt_tokens, completion_tokens, ..Usage::default() }),
                None,
            )
        };
        assert_eq!(cost(Some(5), Some(0)), Some(2e-6));
        assert_eq!(cost(Some(5), None), Some(18e-6));
        assert_eq!(cost(None, Some(1)), Some(11.2e-6));
        assert_eq!(budget.charge(reserve, None, None), Some(25.6e-6));
    }

    #[test]
    fn a_batch_costs_its_share_and_is_reserved_like_it() {
        let budget = Budget::new(Some(Price { batch_factor: Some(0.5), ..price() }), Some(20e-6), 0.0);
        // Half the cost of 24 tokens at 0.4 and 10 tokens at 1.6.
        let reserve = budget.most_by_batch(&Prompt::Text("12345678".into()), 10);
        assert_eq!(budget.usd(reserve), Some(12.8e-6));
        assert!(budget.reserve_now(reserve) && !budget.reserve_now(reserve));
        // The reservation that is restored from the journal has the same sum, and the counted tokens settle
        // it.
        let restored = budget.restored(12.8e-6, 400, 10);
        let usage = Usage { prompt_tokens: Some(5), completion_tokens: Some(1), ..Usage::default() };
        assert_eq!(budget.charge(restored, Some(&usage), Some("batch")), Some(1.8e-6));
        assert!(budget.reserve_now(reserve));
        // An individual request does not wait for a batch.
        assert_eq!(budget.try_reserve(budget.most(&Prompt::Text("12345678".into()), 10)), Some(false));
        assert_eq!(budget.batch_cost_usd(1_000_000, 0), Some(0.2));
    }

    #[test]
    fn counts_that_no_request_has_cost_what_was_set_aside() {
        let budget = Budget::new(Some(price()), None, 0.0);
        let reserve = budget.most(&Prompt::Text("12345678".into()), 10);
        let usage = |prompt: u64, completion: u64, reasoning: Option<u64>| Usage {
            prompt_tokens: Some(prompt),
            completion_tokens: Some(completion),
            reasoning_tokens: reasoning,
            ..Usage::default()
        };
        for (usage, is_exceeded) in [
            (usage(1000, 10, None), false),
            (usage(5, 3000, Some(2990)), false),
            (usage(5, 100_000, Some(99_990)), false),
            (usage(5, 100_000, None), true),
            (usage(1 << 60, 10, None), true),
            (usage(5, u64::MAX, Some(u64::MAX)), true),
        ] {
            assert_eq!(reserve.is_exceeded_by(&usage), is_exceeded, "{usage:?}");
            let cost = budget.charge(reserve, Some(&usage), None);
            assert_eq!(cost == Some(25.6e-6), is_exceeded, "{cost:?}");
        }
        // The sums of stated costs are compared, so that rounding of small costs does not matter.
        assert_eq!(budget.compare(0.0004, 0.0008), None);
        assert_eq!(budget.compare(0.001, 0.0025).map(|(_, theirs)| theirs > 0.0032), Some(true));
    }

    #[test]
    fn the_cap_holds_in_a_thousand_random_runs_with_many_under_way() {
        for run in 0..1000 {
            let mut rng = seed::stream("test", "budget", run);
            let cap_usd = rng.random_range(1e-4..1e-2);
            let budget = Budget::new(Some(price()), Some(cap_usd), 0.0);
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
                    paid += budget.charge(reserve, rng.random_bool(0.9).then_some(&usage), None).unwrap();
                }
                let worst: f64 = under_way.iter().filter_map(|(reserve, _)| budget.usd(*reserve)).sum();
                assert!(paid + worst <= cap_usd + 1e-12, "run {run}");
            }
        }
    }
}
