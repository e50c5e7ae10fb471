//! Formats aligned text tables, and numbers in them.

/// Formats rows as text, header first. Numeric columns are right-aligned.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let is_number = |cell: &String| {
        cell.is_empty() || cell == "-" || cell.trim_end_matches(['%', ' ']).parse::<f64>().is_ok()
    };
    let right: Vec<bool> =
        (0..columns).map(|at| rows.iter().skip(1).filter_map(|row| row.get(at)).all(is_number)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let blanks = " ".repeat(width(at).unwrap_or(0) - cell.chars().count());
            if right[at] { blanks + cell } else { cell.clone() + &blanks }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A number with three decimals, or a dash for a missing value.
pub(super) fn three(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.3}"))
}

/// A time with its unit.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// A number of bytes with its unit.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e9 => format!("{:.0} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_to_the_right_and_names_to_the_left() {
        let rows = [["name", "n"], ["a", "1"], ["long", "10"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(aligned(&rows), "name   n\na      1\nlong  10\n");
        assert_eq!((time(60.0), time(600.0), time(7200.0)), ("60 s".into(), "10 min".into(), "2.0 h".into()));
    }
}
