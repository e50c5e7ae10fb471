//! Conditions on rows in the form of `--where`: `family!=Llama`, `flops_1e21<=84`, `task=sciq`.

use std::cmp::Ordering;
use std::str::FromStr;

use super::number::{alone, is_missing};

/// A condition `COLUMN OP VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    relation: Relation,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// All operators. Operators of two characters come first, so that `<=` is not parsed as `<`.
const RELATIONS: [(&str, Relation); 6] = [
    ("!=", Relation::IsNot),
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::Is),
];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['!', '<', '>', '=']).filter(|at| *at > 0);
        let found = at.and_then(|at| {
            let (column, rest) = text.split_at(at);
            let (sign, relation) = RELATIONS.iter().find(|(sign, _)| rest.starts_with(sign))?;
            let (column, value) = (column.trim().into(), rest[sign.len()..].trim().into());
            Some(Self { column, relation: *relation, value })
        });
        found.ok_or_else(|| {
            format!("`{text}` is not a condition; write COLUMN=VALUE, or !=, <, <=, > or >= in place of =")
        })
    }
}

impl Condition {
    /// Whether a cell meets the condition. A missing cell has no order: it never meets `<`, `<=`, `>` or
    /// `>=`. `number` is the cell's value as a number.
    pub(crate) fn holds(&self, cell: &str, number: Option<f64>) -> Result<bool, String> {
        let own = number.or_else(|| cell.parse().ok());
        let numbers = own.zip(self.value.parse().ok().or_else(|| alone(&self.value)));
        let same = numbers.map_or(cell == self.value, |(a, b)| a == b);
        let order = match self.relation {
            Relation::Is => return Ok(same),
            Relation::IsNot => return Ok(!same),
            _ if is_missing(cell) => return Ok(false),
            _ => numbers.and_then(|(a, b)| a.partial_cmp(&b)),
        };
        let order = order.ok_or_else(|| {
            format!("`{cell}` and `{}` cannot be ordered, because they are not both numbers", self.value)
        })?;
        Ok(match self.relation {
            Relation::Below => order == Ordering::Less,
            Relation::AtMost => order != Ordering::Greater,
            Relation::Above => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }
}
