//! The prefix of every text, a beginning-of-sequence token or none: what the files of a tokenizer say, where
//! they disagree, and what is asked for.

use super::bos::Bos;
use super::settings::TokenizerSettings;

/// The tokens before every text, and what a user should know of the choice.
pub(super) struct BosPrefix {
    pub(super) prefix: Vec<u32>,
    pub(super) notes: Vec<String>,
}

/// What the files of a tokenizer say.
pub(super) struct BosSettings<'a> {
    pub(super) settings: &'a TokenizerSettings,
    /// The special tokens that the template of tokenizer.json puts before a text, and whether it puts some
    /// behind.
    pub(super) template: Vec<u32>,
    pub(super) template_ends: bool,
    /// Whether the tokenizer comes from tokenizer.json, which may hold a template.
    pub(super) is_json: bool,
    /// Whether the class in Python puts the token there unless it is told not to.
    pub(super) begins: bool,
    /// The beginning-of-sequence token, if the model has one.
    pub(super) bos: Option<u32>,
}

/// The tokens that begin every text; `None` if a beginning-of-sequence token is asked for and there is none.
pub(super) fn choose(known: &BosSettings, choice: Bos) -> Option<BosPrefix> {
    let BosSettings { settings, template, is_json, begins, bos, .. } = known;
    let mut notes = vec![];
    let own = match (settings.add_bos, is_json) {
        (Some(true), _) if !template.is_empty() => template.clone(),
        (Some(true), _) => {
            let added: Vec<u32> = bos.iter().copied().collect();
            notes.push(match (added.is_empty(), is_json) {
                (true, _) => "tokenizer_config.json has add_bos_token true and names no bos_token of the \
                              vocabulary: windows begin without one"
                    .to_owned(),
                (false, true) => "tokenizer_config.json has add_bos_token true where the template of \
                                  tokenizer.json puts nothing: windows begin with the \
                                  beginning-of-sequence token (--bos off leaves it out)"
                    .to_owned(),
                (false, false) => String::new(),
            });
            added
        }
        (Some(false), _) => {
            if !template.is_empty() {
                notes.push(
                    "tokenizer_config.json has add_bos_token false where the template of tokenizer.json puts \
                     a token before every text: windows begin without it (--bos on puts it there)"
                        .to_owned(),
                );
            }
            vec![]
        }
        (None, true) => template.clone(),
        (None, false) if *begins => {
            if bos.is_some() {
                notes.push(
                    "no tokenizer_config.json says whether a text begins with the beginning-of-sequence \
                     token; it does, as this kind of tokenizer does in Python (--bos off leaves it out)"
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
            "the end-of-sequence token of add_eos_token is not put behind windows; it would change no state \
             before it"
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
    // What is asked for needs no explanation.
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
