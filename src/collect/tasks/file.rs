//! Reads items from a user's file: JSONL or CSV with `id`, `prompt` or `messages`, `answer` or `answers`,
//! `choices`, and optionally `shots`, `question` and `tolerance`. Errors in a file are reported with the line
//! number before a question is asked.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use super::items::{FileItems, ItemSpan};
use super::row_item::RowFormat;
use super::rows;
use super::task::{Task, TaskKind};
use crate::collect::grading::Grader;
use crate::disk;
use crate::error::{Error, Result};

/// The members that are read; all others are ignored.
const KNOWN: [&str; 9] =
    ["id", "prompt", "messages", "answer", "answers", "choices", "shots", "question", "tolerance"];
/// Number of bytes at the beginning of a file that must contain the name of the first column.
const HEAD_BYTES: u64 = 4096;

/// Whether a file is a category: a CSV file whose first column is `entity`.
pub(crate) fn is_category(path: &Path) -> Result<bool> {
    let mut bytes = vec![];
    let file = disk::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    file.take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Read { path: path.into(), source })?;
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    let rest = start.strip_prefix(b"\"").unwrap_or(start).strip_prefix(b"entity");
    Ok(rest.is_some_and(|rest| matches!(rest.first(), None | Some(b',' | b'"' | b'\r' | b'\n'))))
}

/// Reads a file of items once and stores the position of each item. Every item is parsed, so that errors are
/// found before a question is asked.
///
/// # Errors
/// [`Error::Read`]; [`Error::Csv`] with the number of the bad line.
pub(crate) fn load(path: &Path, grader: Option<&Grader>) -> Result<Task> {
    let name = disk::file_stem(path);
    let reading = RowFormat { task: name.clone(), grader: grader.cloned() };
    let file = disk::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let again = file.try_clone().map_err(|source| Error::Read { path: path.into(), source })?;
    let (mut places, mut shots, mut ids, mut others) = (vec![], vec![], vec![], BTreeSet::new());
    let whole = rows::read(path, again, |row| {
        others.extend(row.members.keys().filter(|name| !KNOWN.contains(&name.as_str())).cloned());
        let n_bytes = u32::try_from(row.n_bytes).map_err(|_| row.fault(path, "is longer than 4 GiB"))?;
        let item = row.item(path, &reading)?;
        ids.push((hash(&item.id), places.len()));
        shots.push(item.shots as u32);
        places.push(ItemSpan { offset: row.offset, n_bytes, crc: row.crc });
        Ok(())
    })?;
    if places.is_empty() {
        return Err(rows::fault(path, 0, "the file contains no item".into()));
    }
    let mut filed =
        FileItems { path: path.into(), file: Mutex::new(file), form: whole.form, reading, places };
    check_ids(&filed, ids)?;
    // Items with fewer shots come first, as in every task. The sort is stable, so that items with the same
    // number of shots keep the order of the file.
    if shots.iter().any(|n| *n > 0) {
        let mut order: Vec<usize> = (0..shots.len()).collect();
        order.sort_by_key(|number| shots[*number]);
        filed.places = order.into_iter().map(|number| filed.places[number]).collect();
    }
    filed.places.shrink_to_fit();
    let others: Vec<String> = others.into_iter().collect();
    let note = format!(
        "{}: these members are ignored: {}; surmise reads {}",
        path.display(),
        others.join(", "),
        KNOWN.join(", ")
    );
    let notes = if others.is_empty() { vec![] } else { vec![note] };
    let kind = if grader.is_some() { TaskKind::Graded } else { TaskKind::Texts };
    Ok(Task { name, sha256: whole.sha256, items: filed.into(), stops: vec![], kind, notes })
}

fn hash(id: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    id.hash(&mut hash);
    hash.finish()
}

/// Returns an error if two items of a file have the same id. `ids` contains a 64-bit hash of each id and the
/// index of its item. Items with equal hashes are read again to compare their ids.
fn check_ids(filed: &FileItems, mut ids: Vec<(u64, usize)>) -> Result<()> {
    ids.sort_unstable();
    let mut earliest: Option<(usize, usize, String)> = None;
    for pair in ids.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (first, second) = (pair[0].1, pair[1].1);
        let id = filed.get(second)?.id;
        if earliest.as_ref().is_none_or(|(earliest, ..)| second < *earliest) && filed.get(first)?.id == id {
            earliest = Some((second, first, id));
        }
    }
    let Some((second, first, id)) = earliest else { return Ok(()) };
    let line = rows::line_of(&filed.path, filed.places[first].offset).unwrap_or(1);
    let reason = format!("has the same id {id:?} as line {line}; ids must be unique");
    Err(rows::fault(&filed.path, filed.places[second].offset, reason))
}
