//! Collects the answers of the members: serves each member on this machine and asks it with the client for
//! remote APIs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::api_answers::ApiAnswers;
use super::family::{Family, Member};
use super::settings::BlindSettings;
use crate::collect::progress::Progress;
use crate::disk;
use crate::error::Result;
use crate::provider;
use crate::study::asking::{PROVIDER, SemanticQuestions, ask_served, semantic_scores, serve};

/// Maximum number of tokens of an answer. Answers of the embedded families have one or two tokens.
pub(super) const ANSWER_TOKENS: u32 = 4;

/// Asks the hidden members and all members that their predictions need. Reuses the answers in the folder.
///
/// # Errors
/// [`Error::Serve`](crate::Error::Serve) if the port is in use; errors of the client;
/// [`Error::Gaps`](crate::Error::Gaps) if a question has no answer.
pub(crate) fn ask(
    family: &Family,
    hidden: &[&Member],
    settings: &BlindSettings,
    port: u16,
    folder: &Path,
    step: &dyn Fn(&str),
) -> Result<BTreeMap<String, ApiAnswers>> {
    let mut answers = BTreeMap::new();
    for member in family.members.iter().filter(|member| is_needed(family, hidden, member)) {
        let own = folder.join("answers").join(disk::id_in_file_names(&member.id));
        let kept = own.join("answers.json");
        let known = if kept.is_file() {
            ApiAnswers::read(&kept)?
        } else {
            step(&format!("{}: asking questions through the API", member.id));
            let known = ask_member(family, member, settings, port, &own)?;
            disk::write_json(&kept, &known)?;
            known
        };
        answers.insert(member.id.clone(), known);
    }
    Ok(answers)
}

/// Whether a member is hidden or used to predict a hidden one.
pub(super) fn is_needed(family: &Family, hidden: &[&Member], member: &Member) -> bool {
    hidden.iter().any(|h| h.id == member.id || family.others(h).iter().any(|other| other.id == member.id))
}

/// Serves a member and asks it the prompts that have no answer yet.
fn ask_member(
    family: &Family,
    member: &Member,
    settings: &BlindSettings,
    port: u16,
    folder: &Path,
) -> Result<ApiAnswers> {
    let server = serve(family.load(member)?, port, settings.seed)?;
    let BlindSettings { corpora, shots, sets, queries, seed } = settings.clone();
    let form = BlindSettings::form().into();
    let questions = SemanticQuestions { corpora, shots, sets, queries, form, seed, logprobs: true };
    let asked = (server.url(), member.id.as_str());
    let configuration = questions.configuration(provider::find(PROVIDER)?, asked, Some(ANSWER_TOKENS));
    ask_served(configuration, None, folder, &Arc::new(Progress::new(|_| {})))?;
    Ok(ApiAnswers::new(&member.id, semantic_scores(folder)?))
}
