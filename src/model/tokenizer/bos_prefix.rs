//! Determines the prefix of every text, a beginning-of-sequence token or none, from the tokenizer files and
//! the user's choice.

use super::bos::Bos;
use super::settings::TokenizerSettings;

/// The tokens prepended to every text, and notes for the user about the choice.
pub(super) struct BosPrefix {
    pub(super) prefix: Vec<u32>,
    pub(super) notes: Vec<String>,
}

/// The settings in the tokenizer files.
pub(super) struct BosSettings<'a> {
    pub(super) settings: &'a TokenizerSettings,
    /// The special tokens that the template of tokenizer.json puts before a text.
    pub(super) template: Vec<u32>,
    /// Whether the template puts special tokens after a text.
    pub(super) template_ends: bool,
    /// Whether the tokenizer comes from tokenizer.json, which may contain a template.
    pub(super) is_json: bool,
    /// Whether the Python class prepends the beginning-of-sequence token by default.
    pub(super) begins: bool,
    /// The beginning-of-sequence token, if the model has one.
    pub(super) bos: Option<u32>,
}

/// The tokens that begin every text; `None` if the choice requires a beginning-of-sequence token and there is
/// none.
pub(super) fn choose(known: &BosSettings, choice: Bos) -> Option<BosPrefix> {
    let BosSettings { settings, template, is_json, begins, bos, .. } = known;
    let mut notes = vec![];
    let own = match (settings.add_bos, is_json) {
        (Some(true), _) if !template.is_empty() => template.clone(),
        (Some(true), _) => {
            let added: Vec<u32> = bos.iter().copied().collect();
            notes.push(match (added.is_empty(), is_json) {
                (true, _) => "tokenizer_config.json has add_bos_token true, but no bos_token that is in the \
                              vocabulary: windows begin without a beginning-of-sequence token"
                    .to_owned(),
                (false, true) => "tokenizer_config.json has add_bos_token true, but the template of \
                                  tokenizer.json adds no token: windows begin with the \
                                  beginning-of-sequence token (omit it with --bos off)"
                    .to_owned(),
                (false, false) => String::new(),
            });
            added
        }
        (Some(false), _) => {
            if !template.is_empty() {
                notes.push(
                    "tokenizer_config.json has add_bos_token false, but the template of tokenizer.json puts \
                     a token before every text: windows begin without it (add it with --bos on)"
                        .to_owned(),
                );
            }
            vec![]
        }
        (None, true) => template.clone(),
        (None, false) if *begins => {
            if bos.is_some() {
                notes.push(
                    "tokenizer_config.json does not specify whether texts begin with the \
                     beginning-of-sequence token; windows begin with it, as with the Python tokenizer of \
                     this kind (omit it with --bos off)"
                        .to_owned(),
                );
            }
            bos.iter().copied().collect()
        }
        (None, false) => vec![],
    };
    if settings.add_eos.is_some_and(|adds| *is_json && adds != known.template_ends)
        || (!is_json && settings.add_eos == Some(true))
    {
        notes.push(
            "add_eos_token is ignored: windows end without an end-of-sequence token, which would not affect \
             the states before it"
                .to_owned(),
        );
    }
    let prefix = match choice {
        Bos::Auto => own,
        Bos::Off => vec![],
        Bos::On if !own.is_empty() => own,
        Bos::On if !template.is_empty() => template.clone(),
        Bos::On => vec![(*bos)?],
    };
    // An explicit choice needs no notes.
    if choice != Bos::Auto {
        notes.clear();
    }
    notes.retain(|note| !note.is_empty());
    Some(BosPrefix { prefix, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(add_bos: Option<bool>, template: &[u32], bos: Option<u32>, choice: Bos) -> (Vec<u32>, usize) {
        let settings = TokenizerSettings { add_bos, ..TokenizerSettings::default() };
        let known = BosSettings {
            settings: &settings,
            template: template.to_vec(),
            template_ends: false,
            is_json: true,
            begins: false,
            bos,
        };
        choose(&known, choice).map_or((vec![99], 0), |b| (b.prefix, b.notes.len()))
    }

    #[test]
    fn the_switch_wins_over_the_template_and_a_disagreement_is_said() {
        assert_eq!(prefix(None, &[1], Some(1), Bos::Auto), (vec![1], 0));
        assert_eq!(prefix(Some(true), &[1], Some(1), Bos::Auto), (vec![1], 0));
        assert_eq!(prefix(Some(true), &[], Some(1), Bos::Auto), (vec![1], 1));
        assert_eq!(prefix(Some(true), &[], None, Bos::Auto), (vec![], 1));
        assert_eq!(prefix(Some(false), &[1], Some(1), Bos::Auto), (vec![], 1));
        assert_eq!(prefix(Some(false), &[], Some(1), Bos::Auto), (vec![], 0));
    }

    #[test]
    fn what_is_asked_for_is_put_or_left_out() {
        assert_eq!(prefix(Some(false), &[7], Some(1), Bos::On), (vec![7], 0));
        assert_eq!(prefix(None, &[], Some(1), Bos::On), (vec![1], 0));
        assert_eq!(prefix(None, &[], None, Bos::On), (vec![99], 0));
        assert_eq!(prefix(Some(true), &[1], Some(1), Bos::Off), (vec![], 0));
    }
}
