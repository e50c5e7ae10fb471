//! Tests, with the real binary, cards that were edited by hand: inconsistent cards give an error, and
//! consistent cards are read.

use std::sync::Arc;

use surmise::calibration::{Card, FittedCandidate};
use surmise::seed::sha256_hex;

use crate::support::tidy::{calibrated, folder, surmise, table, write};

fn with_one_coefficient(fitted: &FittedCandidate) -> FittedCandidate {
    let mut linear = fitted.as_linear().expect("a linear model").clone();
    linear.coefficients.truncate(1);
    FittedCandidate::new(fitted.name(), Arc::new(linear))
}

/// A change to a card before its hash is updated.
type Edit = fn(&mut Card);

#[test]
fn a_card_with_inconsistent_lists_is_refused_even_with_a_right_hash() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    write(&at("q.csv"), &table(24));
    let edits: [(Edit, &str); 13] = [
        (|card| card.columns.features.truncate(1), "fit.basis.mean has 2"),
        (|card| card.fit.basis.centre.truncate(1), "fit.basis.centre has 1"),
        (|card| card.fit.basis.sd[0] = 0.0, "fit.basis.sd"),
        (|card| card.fit.basis.min[0] = 9.0, "fit.basis.min contains a number that is larger"),
        (|card| card.backtest.forward[0].effective_n = 0.0, "effective_n of a coverage"),
        (|card| card.rows.n_without_family = 25, "rows.n_without_family"),
        (|card| card.fit.mean = with_one_coefficient(&card.fit.mean), "fit.mean.parameters.coefficients"),
        (
            |card| {
                let selected = card.fit.within_range.iter_mut();
                selected.for_each(|selected| selected.residuals.leave_model_out.held_out[0].fold = 99);
            },
            "fold 99",
        ),
        (|card| card.training.cells[0].push_str(",1"), "training.cells has"),
        (|card| card.training.families.truncate(1), "training does not contain"),
        (|card| card.range.distances.clear(), "range.distances"),
        (|card| card.rows.families.clear(), "rows.families"),
        (|card| card.backtest.forward[0].folds.truncate(1), "backtest"),
    ];
    for (edit, said) in edits {
        let mut edited = Card::read(card.as_ref()).expect("the card");
        edit(&mut edited);
        edited.card_sha256.clear();
        edited.card_sha256 = sha256_hex(&edited.to_bytes().expect("JSON"));
        edited.write(at("other.json").as_ref()).expect("a card");
        for arguments in
            [&["predict", &at("q.csv"), "--calibration", &at("other.json")][..], &["card", &at("other.json")]]
        {
            let output = surmise(arguments);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.code() == Some(1) && output.stdout.is_empty() && told.contains(said),
                "{said}: {told}"
            );
        }
    }
}

#[test]
fn a_card_with_folds_of_any_number_and_one_behind_a_byte_order_mark_are_read() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    let words = |path: &str| String::from_utf8(surmise(&["card", path]).stdout).expect("text");
    let first = words(&card);
    let bytes = std::fs::read(&card).expect("the card");
    std::fs::write(at("marked.json"), [b"\xef\xbb\xbf", bytes.as_slice()].concat()).expect("a file");
    assert!(first.contains("back-tested") && words(&at("marked.json")) == first);
    let mut edited = Card::read(card.as_ref()).expect("the card");
    edited.backtest.forward.iter_mut().for_each(|coverage| coverage.folds.fill(1_000_000_000_000));
    edited.card_sha256.clear();
    edited.card_sha256 = sha256_hex(&edited.to_bytes().expect("JSON"));
    edited.write(at("far.json").as_ref()).expect("a card");
    assert!(words(&at("far.json")).contains("back-tested"));
}
