//! Projects the tokens, cost and duration of a run from the counts of its first answers.

use super::ledger::Budget;
use crate::provider::Usage;

/// Number of first answers from which a run is projected.
pub(crate) const ANSWERS: u32 = 20;

/// Totals of the first answers of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pilot {
    answers: u32,
    /// Number of answers whose tokens the server counted.
    counted: u32,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// Number of answer tokens that are reasoning.
    reasoning_tokens: u64,
    elapsed_s: f64,
}

impl Pilot {
    /// Adds an answer. Returns whether it is the last answer that the projection uses.
    pub(crate) fn add(&mut self, usage: Option<&Usage>, elapsed_s: f64) -> bool {
        self.answers += 1;
        self.elapsed_s += elapsed_s;
        if let Some((prompt, completion)) =
            usage.and_then(|usage| usage.prompt_tokens.zip(usage.completion_tokens))
        {
            self.counted += 1;
            self.prompt_tokens += prompt;
            self.completion_tokens += completion;
            self.reasoning_tokens += usage.and_then(|usage| usage.reasoning_tokens).unwrap_or(0);
        }
        self.answers == ANSWERS
    }

    /// Describes the expected tokens, cost and duration of the questions that remain of `total`; `None` if no
    /// question remains.
    pub(crate) fn forecast(&self, total: u64, concurrency: usize, budget: &Budget) -> Option<String> {
        let left = total.checked_sub(self.answers.into()).filter(|left| *left > 0)?;
        let mut line = format!("after {} answers: {left} questions remain", self.answers);
        if self.counted > 0 {
            let each = |tokens: u64| (tokens as f64 / f64::from(self.counted) * left as f64).round() as u64;
            let (prompt, completion) = (each(self.prompt_tokens), each(self.completion_tokens));
            line.push_str(&format!(", with about {prompt} prompt tokens and {completion} answer tokens"));
            if self.reasoning_tokens > 0 {
                line.push_str(&format!(" ({} of them reasoning)", each(self.reasoning_tokens)));
            }
            if let Some((usd, spent_usd)) = budget.cost_usd(prompt, completion).zip(budget.spent_usd()) {
                line.push_str(&format!(", {usd:.6} USD in addition to the {spent_usd:.6} spent"));
                if let Some(cap_usd) = budget.cap_usd().filter(|cap_usd| usd + spent_usd > *cap_usd) {
                    line.push_str(&format!("; the run ends at --budget-usd {cap_usd}"));
                }
            }
        } else {
            line.push_str(", with an unknown number of tokens, because the server does not count tokens");
        }
        let each_s = self.elapsed_s / f64::from(self.answers);
        let time_s = each_s * left as f64 / concurrency.max(1) as f64;
        line.push_str(&format!(
            "; about {time_s:.1} s with {concurrency} requests at a time, {each_s:.3} s each"
        ));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::budget::price::Price;
    use crate::collect::budget::rates::Rates;

    #[test]
    fn the_forecast_extrapolates_the_first_answers() {
        let price = Price::from(Rates {
            input_usd_per_million_tokens: 1.0,
            output_usd_per_million_tokens: 10.0,
            ..Rates::default()
        });
        let usage = Usage { prompt_tokens: Some(100), completion_tokens: Some(5), ..Usage::default() };
        let mut pilot = Pilot::default();
        let last = (0..ANSWERS).map(|n| pilot.add((n % 2 == 0).then_some(&usage), 0.5)).collect::<Vec<_>>();
        assert_eq!(last.iter().position(|last| *last), Some(19));
        // For 980 more questions: 98,000 prompt and 4,900 answer tokens, 0.098 + 0.049 USD, 980 * 0.5 / 10 s.
        let line =
            |cap_usd| pilot.forecast(1000, 10, &Budget::new(Some(price.clone()), cap_usd, 0.0)).unwrap();
        assert_eq!(
            line(Some(0.2)),
            "after 20 answers: 980 questions remain, with about 98000 prompt tokens and 4900 answer tokens, \
             0.147000 USD in addition to the 0.000000 spent; about 49.0 s with 10 requests at a time, \
             0.500 s each"
        );
        assert!(line(Some(0.1)).contains("ends at --budget-usd 0.1"));
        assert!(!pilot.forecast(1000, 10, &Budget::new(None, None, 0.0)).unwrap().contains("USD"));
        assert_eq!(pilot.forecast(20, 10, &Budget::new(None, None, 0.0)), None);
    }
}
