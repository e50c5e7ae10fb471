//! Builds series: lists "e1, e2, ..., eK," of distinct entities of one category, in seeded random order. K is
//! the number of shots. Entities may have any number of tokens; tokens are compared by role rather than by
//! position.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rand::seq::index::sample;
use sha2::{Digest, Sha256};

use super::{Category, Corpus, Role, TokenLabel, Window};
use crate::error::{Error, Result};
use crate::model::Tokenizer;
use crate::numeric::shown::count;
use crate::seed;

/// Maximum number of windows: far more than an estimator can process in a day, and few enough to fit in
/// memory.
const MAX_WINDOWS: usize = 1_000_000;

/// In-context lists as texts, independent of any tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    category: String,
    lists: Vec<Vec<String>>,
}

impl Series {
    /// Draws `windows` lists of `shots` distinct entities each.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `shots` is 0 or `windows` is not from 2 to 1000000; [`Error::Corpus`] if the
    /// category has fewer entities than shots.
    pub fn draw(category: &Category, shots: usize, windows: usize, seed: u64) -> Result<Self> {
        if shots == 0 {
            return Err(Error::Parameter { name: "--entities", reason: "must be at least 1".into() });
        }
        if !(2..=MAX_WINDOWS).contains(&windows) {
            let reason = format!("must be from 2 to {MAX_WINDOWS}, but is {windows}");
            return Err(Error::Parameter { name: "--windows", reason });
        }
        let n = category.entities.len();
        if n < shots {
            let reason = format!(
                "has {}, but a series needs {shots}; lower --entities or add entities",
                count(n, "entity")
            );
            return Err(Error::Corpus { name: category.name.clone(), reason });
        }
        let mut rng = seed::stream("series", &category.name, seed);
        let list = |_| sample(&mut rng, n, shots).into_iter().map(|i| category.entities[i].clone()).collect();
        Ok(Self { category: category.name.clone(), lists: (0..windows).map(list).collect() })
    }

    /// Tokenizes the lists and labels every token.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for words that the tokenizer cannot spell; [`Error::Corpus`] if the tokenizer
    /// joins an entity and its separator in one token.
    pub fn tokenize(&self, tokenizer: &Tokenizer) -> Result<Corpus> {
        self.check_distinct(tokenizer)?;
        let mut hash = Sha256::new();
        let mut windows = Vec::with_capacity(self.lists.len());
        for list in &self.lists {
            let (text, spans) = render(list);
            hash.update(&text);
            hash.update("\n");
            windows.push(self.window(&text, &spans, tokenizer)?);
        }
        Ok(Corpus {
            name: self.category.clone(),
            sha256: seed::hex(&hash.finalize()),
            windows,
            prefix: tokenizer.prefix().to_vec(),
            bos: tokenizer.bos(),
            control: None,
        })
    }

    /// Checks that different entities have different tokens. Otherwise, for example with a tokenizer that
    /// converts to lower case, a list could contain the same tokens twice.
    fn check_distinct(&self, tokenizer: &Tokenizer) -> Result<()> {
        let entities: BTreeSet<&String> = self.lists.iter().flatten().collect();
        let mut seen: BTreeMap<Vec<u32>, &String> = BTreeMap::new();
        for entity in entities {
            let ids = tokenizer.encode(&format!("{entity},"))?.into_iter().map(|token| token.id).collect();
            if let Some(other) = seen.insert(ids, entity) {
                let reason = format!(
                    "the tokenizer of the model gives {other:?} and {entity:?} the same tokens; remove one \
                     of these entities"
                );
                return Err(Error::Corpus { name: self.category.clone(), reason });
            }
        }
        Ok(())
    }

    fn window(&self, text: &str, spans: &[Range<usize>], tokenizer: &Tokenizer) -> Result<Window> {
        let prefix = tokenizer.prefix();
        let mut ids = prefix.to_vec();
        let prefix_label = TokenLabel { role: Role::Prefix, reading_index: 0, is_reading_point: false };
        let mut labels = vec![prefix_label; prefix.len()];
        for token in tokenizer.encode(text)? {
            // Some tokenizers include the space before a word in its token, so the last byte of a token
            // determines its role.
            let last = token.span.end.saturating_sub(1);
            let reading_index = spans.partition_point(|entity| entity.start <= last);
            let role = match spans.get(reading_index.wrapping_sub(1)) {
                Some(entity) if last < entity.end => Role::Entity,
                Some(_) => Role::Separator,
                None => Role::Prefix,
            };
            // The reading point is the last of the tokens with the same role and index, because only the
            // state of the last token depends on the whole entity. So the mark is removed from the earlier
            // token.
            if let Some(before) = labels
                .iter_mut()
                .rev()
                .find(|label| (label.role, label.reading_index) == (role, reading_index))
            {
                before.is_reading_point = false;
            }
            ids.push(token.id);
            labels.push(TokenLabel { role, reading_index, is_reading_point: role != Role::Prefix });
        }
        let read = labels.iter().filter(|label| label.is_reading_point).count();
        if read != 2 * spans.len() {
            let reason = format!(
                "the tokenizer of the model joins entities and separators of {text:?} in one token; choose \
                 other entities or another model"
            );
            return Err(Error::Corpus { name: self.category.clone(), reason });
        }
        Ok(Window { ids, labels, n_bytes: text.len() })
    }
}

/// Returns the text of a list, and the byte range of each entity in it.
fn render(list: &[String]) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut spans = Vec::with_capacity(list.len());
    for (k, entity) in list.iter().enumerate() {
        if k > 0 {
            text.push(' ');
        }
        spans.push(text.len()..text.len() + entity.len());
        text.push_str(entity);
        text.push(',');
    }
    (text, spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_repeats_with_its_seed_and_never_names_an_entity_twice() {
        let category = Category::load("countries").unwrap();
        let first = Series::draw(&category, 5, 200, 7).unwrap();
        assert_eq!(first, Series::draw(&category, 5, 200, 7).unwrap());
        assert_ne!(first, Series::draw(&category, 5, 200, 8).unwrap());
        for list in &first.lists {
            let distinct: std::collections::HashSet<_> = list.iter().collect();
            assert_eq!(distinct.len(), 5);
        }
    }

    #[test]
    fn render_knows_where_each_entity_stands() {
        let (text, spans) = render(&["France".into(), "New Zealand".into()]);
        assert_eq!(text, "France, New Zealand,");
        assert_eq!((&text[spans[0].clone()], &text[spans[1].clone()]), ("France", "New Zealand"));
    }

    #[test]
    fn too_few_entities_for_the_shots_is_an_error() {
        let category = Category::load("colours").unwrap();
        let n = category.entities.len();
        assert!(Series::draw(&category, n, 3, 0).is_ok());
        assert!(Series::draw(&category, n + 1, 3, 0).is_err());
        assert!(Series::draw(&category, 0, 3, 0).is_err());
    }
}
