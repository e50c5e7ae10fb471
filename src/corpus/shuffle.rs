//! Creates the control of a corpus.

use rand::seq::SliceRandom;

use super::{Corpus, CorpusControl, Role};
use crate::seed;

impl CorpusControl {
    /// Creates the control of a corpus. The prefix and the labels stay in place.
    pub fn of(self, corpus: &Corpus, seed: u64) -> Corpus {
        let mut control = Corpus { control: None, ..corpus.clone() };
        let mut rng = seed::stream("control", &corpus.name, seed);
        for window in &mut control.windows {
            let prefix = window.labels.iter().take_while(|label| label.role == Role::Prefix).count();
            match self {
                Self::Shuffled => window.ids[prefix..].shuffle(&mut rng),
            }
        }
        control
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{TokenLabel, Window};
    use crate::model::Bos;

    #[test]
    fn shuffling_keeps_the_tokens_of_each_window_and_its_prefix() {
        let label =
            |role, reading_index| TokenLabel { role, reading_index, is_reading_point: role == Role::Text };
        let window = |first: u32| Window {
            ids: [7].into_iter().chain(first..first + 20).collect(),
            labels: (0..21).map(|t| label(if t == 0 { Role::Prefix } else { Role::Text }, t)).collect(),
            n_bytes: 80,
        };
        let corpus = Corpus {
            name: "texts".into(),
            sha256: String::new(),
            windows: vec![window(100), window(200)],
            prefix: vec![7],
            bos: Bos::Auto,
            control: Some(CorpusControl::Shuffled),
        };
        let shuffled = CorpusControl::Shuffled.of(&corpus, 3);
        assert_eq!(shuffled.windows, CorpusControl::Shuffled.of(&corpus, 3).windows);
        for (before, after) in corpus.windows.iter().zip(&shuffled.windows) {
            assert_eq!(after.ids[0], 7);
            assert_ne!(before.ids, after.ids);
            assert_eq!(before.labels, after.labels);
            let sorted = |ids: &[u32]| {
                let mut ids = ids.to_vec();
                ids.sort_unstable();
                ids
            };
            assert_eq!(sorted(&before.ids), sorted(&after.ids));
        }
    }
}
