//! Checks the members of a blind test: every member can be asked, and no two members are the same model.

use std::collections::BTreeMap;

use super::api_answers::ApiAnswers;
use super::closed::{ANSWER_TOKENS, is_needed};
use super::family::{Family, Member};
use super::settings::BlindSettings;
use crate::error::{Error, Result};
use crate::study::asking::lacking_positions;

/// Rejects a member whose tokenizer cannot encode a corpus, or whose context is too short for the longest
/// prompt and its answer.
///
/// # Errors
/// Errors of the tokenizer; [`Error::Parameter`] for a member with too few positions.
pub(super) fn check_members(family: &Family, hidden: &[&Member], settings: &BlindSettings) -> Result<()> {
    let designs = settings.designs()?;
    for member in family.members.iter().filter(|member| is_needed(family, hidden, member)) {
        let model = family.load(member)?;
        for design in &designs {
            if let Some((longest, positions)) = lacking_positions(&model, design, ANSWER_TOKENS)? {
                let reason = format!(
                    "gives prompts of {} with up to {longest} tokens, but {} has {positions} positions, \
                     and the answer needs {ANSWER_TOKENS} of them; lower --shots, or leave the member out",
                    design.category, member.id
                );
                return Err(Error::Parameter { name: "--shots", reason });
            }
        }
    }
    Ok(())
}

/// Rejects two members with bit-identical log-probabilities: they are the same model in two files.
///
/// # Errors
/// [`Error::Parameter`] with the ids of both members.
pub(super) fn check_answers(answers: &BTreeMap<String, ApiAnswers>) -> Result<()> {
    let logprobs = |of: &ApiAnswers| -> Vec<Option<u64>> {
        of.rows.iter().map(|row| row.logprob_nats.map(f64::to_bits)).collect()
    };
    let all: Vec<(&String, Vec<Option<u64>>)> = answers.iter().map(|(id, of)| (id, logprobs(of))).collect();
    for (at, (id, own)) in all.iter().enumerate() {
        if let Some((other, _)) = all[..at].iter().find(|(_, other)| other == own) {
            let reason = format!(
                "names {other} and {id}, whose log-probabilities are identical: they are the same model, so \
                 one would be predicted from a copy of itself; leave one out"
            );
            return Err(Error::Parameter { name: "--family", reason });
        }
    }
    Ok(())
}
