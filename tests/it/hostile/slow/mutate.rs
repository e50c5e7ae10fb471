//! Damages files at random, with a seed: their bytes, their JSON values, or the cells of their tables.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::signed;
use crate::model::slow::mutations::damage;

const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "NaN",
    "inf",
    "1e308",
    "-1e308",
    "5e-324",
    "18446744073709551615",
    "9223372036854775808",
    "100000000",
    "",
    "\u{1b}[2J",
    "\u{202e}",
];

/// Words for templates, which cause large outputs, long loops or deep nesting.
const WORDS: [&str; 12] = [
    "range(999999999) ",
    "* 999999999 ",
    "| tojson(indent=999999999) ",
    "%}{% for a in messages %}{% for b in messages %}{% ",
    "{{ turn(turn, turn) }} ",
    "| list | sort | unique | batch(0) ",
    "'%999999999d' ",
    "ns.system * ns.system ",
    "not not not not ",
    "((((((((( ",
    "[ns, messages] ",
    "{%- endfor -%} ",
];

/// Damages files with random numbers from one seed.
pub struct Mutator {
    rng: ChaCha8Rng,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Damages a file in a way that suits its kind. The name of the file determines the kind.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Vec<u8> {
        if self.rng.random_range(0..4) == 0 {
            return damage(bytes, bytes.len(), &mut self.rng);
        }
        match name.rsplit('/').next().unwrap_or_default() {
            "journal.jsonl" => return signed::journal(&self.lines(bytes)),
            "card.json" => return signed::card(&self.json(bytes)),
            "pytorch_model.bin" | "log.eval" => {
                return signed::archive(bytes, |entries| self.entries(entries));
            }
            _ => {}
        }
        let extension = name.rsplit('.').next().unwrap_or_default();
        match extension {
            "json" => self.json(bytes),
            "jsonl" => self.lines(bytes),
            "csv" => self.table(bytes),
            "jinja" => self.template(bytes),
            // Only the beginning is damaged, because faults in a header cause more errors than faults in
            // values.
            "safetensors" | "gguf" | "npy" => damage(bytes, 2000, &mut self.rng),
            _ => damage(bytes, bytes.len(), &mut self.rng),
        }
    }

    fn json(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
            return damage(bytes, bytes.len(), &mut self.rng);
        };
        for _ in 0..self.rng.random_range(1..4) {
            self.value(&mut value);
        }
        value.to_string().into_bytes()
    }

    fn lines(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = self.rng.random_range(0..lines.len());
        lines[at] = self.json(&lines[at].clone());
        lines.join(&b'\n')
    }

    /// Damages, duplicates or removes one entry of an archive, in most cases its pickle.
    fn entries(&mut self, entries: &mut Vec<(String, Vec<u8>)>) {
        let is_pickle = |(name, _): &(String, Vec<u8>)| name.ends_with("data.pkl");
        let pickle = entries.iter().position(is_pickle).filter(|_| self.rng.random_range(0..4) > 0);
        let at = pickle.unwrap_or_else(|| self.rng.random_range(0..entries.len()));
        match self.rng.random_range(0..10) {
            0 => entries.push(entries[at].clone()),
            1 => drop(entries.remove(at)),
            _ if entries[at].0.ends_with(".json") => entries[at].1 = self.json(&entries[at].1.clone()),
            _ => entries[at].1 = damage(&entries[at].1, entries[at].1.len(), &mut self.rng),
        }
    }

    fn table(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let mut rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        for _ in 0..self.rng.random_range(1..4) {
            let at = self.rng.random_range(0..rows.len());
            let column = self.rng.random_range(0..rows[at].len());
            let cell = NUMBERS[self.rng.random_range(0..NUMBERS.len())].to_owned();
            match self.rng.random_range(0..5) {
                0 => drop(rows[at].remove(column)),
                1 => rows[at].insert(column, cell),
                2 => {
                    let whole = rows.iter_mut().skip(1).filter_map(|row| row.get_mut(column));
                    whole.for_each(|own| own.clone_from(&cell));
                }
                _ => rows[at][column] = cell,
            }
            if rows[at].is_empty() {
                rows[at].push(String::new());
            }
        }
        rows.into_iter().map(|row| row.join(",") + "\n").collect::<String>().into_bytes()
    }

    /// Replaces some words of a template by other words of the template or by [`WORDS`], or removes them.
    fn template(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let mut words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
        for _ in 0..self.rng.random_range(1..4) {
            let at = self.rng.random_range(0..words.len());
            words[at] = match self.rng.random_range(0..3) {
                0 => words[self.rng.random_range(0..words.len())],
                1 => WORDS[self.rng.random_range(0..WORDS.len())],
                _ => "",
            };
        }
        words.concat().into_bytes()
    }

    /// Changes a random value inside `value`, or removes a member, or duplicates or removes an item.
    fn value(&mut self, value: &mut Value) {
        let goes_down = self.rng.random_range(0..12) > 0;
        match value {
            Value::Object(members) if goes_down && !members.is_empty() => {
                let at = self.rng.random_range(0..members.len());
                let key = members.keys().nth(at).cloned().unwrap_or_default();
                if self.rng.random_range(0..12) == 0 {
                    members.remove(&key);
                } else if let Some(inner) = members.get_mut(&key) {
                    self.value(inner);
                }
            }
            Value::Array(items) if goes_down && !items.is_empty() => {
                let at = self.rng.random_range(0..items.len());
                match self.rng.random_range(0..12) {
                    0 => drop(items.remove(at)),
                    1 => items.insert(at, items[at].clone()),
                    _ => self.value(&mut items[at]),
                }
            }
            // A number in place of a number passes more checks than a value of another type.
            Value::Number(number) if self.rng.random() => {
                let odd = [json!(0), json!(-1), json!(1), json!(0.5), json!(1e308), json!(u64::MAX)];
                let odd = odd[self.rng.random_range(0..odd.len())].clone();
                number.clone_from(odd.as_number().expect("a number"));
            }
            other => *other = self.odd(),
        }
    }

    fn odd(&mut self) -> Value {
        let long = "x".repeat(self.rng.random_range(0..5000));
        let deep = (0..60).fold(json!(0), |inner, _| json!([inner]));
        let odd = [
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(1),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e308),
            json!(-1e308),
            json!(5e-324),
            json!(""),
            json!(long),
            json!("\u{1b}[2J\u{202e}"),
            json!([]),
            json!({}),
            json!(["a", 1]),
            deep,
        ];
        odd[self.rng.random_range(0..odd.len())].clone()
    }
}
