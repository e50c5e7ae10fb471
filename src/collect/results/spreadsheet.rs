//! Protects spreadsheets from formulas: puts a quote before texts that a spreadsheet would run as a formula.
//! Such texts come from a model and cannot be trusted.

use super::item_row::ItemRow;

/// First characters that make a spreadsheet treat a cell as a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Quotes the texts of a row that would be formulas.
pub(crate) fn quoted(mut row: ItemRow) -> ItemRow {
    let texts = [&mut row.task, &mut row.id, &mut row.question, &mut row.answer, &mut row.gold];
    let optional = [&mut row.finish_reason, &mut row.model_snapshot, &mut row.system_fingerprint];
    texts.into_iter().chain(optional.into_iter().flatten()).for_each(quote);
    row
}

/// Quotes a text that would be a formula. A plain number, with or without a sign, is not a formula.
fn quote(text: &mut String) {
    if text.starts_with(FORMULA) && text.parse::<f64>().is_err() {
        text.insert(0, '\'');
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn formulas_are_quoted_and_numbers_are_not() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1+2", "'+1+2"),
            ("-1+cmd", "'-1+cmd"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("-3", "-3"),
            ("+3.5e2", "+3.5e2"),
            ("Paris", "Paris"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            let mut quoted = text.to_owned();
            quote(&mut quoted);
            assert_eq!(quoted, cell);
        }
    }
}
