//! What must not be lost, asked or believed, through the real binary: files that are read and written at once, proxies that are the target, cards that were made up.

use crate::tidy::{calibrated, folder, refused, surmise, table, with, write};

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_left_as_it_was() {
    let (_keep, at) = folder();
    let (file, card) = (at("t.csv"), at("card.json"));
    write(&file, &table(24));
    assert!(calibrated(&table(24), &[], &card).status.success());
    let before = [&file, &card].map(|path| std::fs::read(path).expect("a file"));
    // The same place by another name is the same file.
    let (folder, name) = file.rsplit_once('/').expect("a folder");
    let other = format!("{folder}/./{name}");
    let calibrate = ["calibrate", "--observations", &file, "--target", "y", "-o"];
    let predict = ["predict", "--calibration", &card, "--observations", &file, "-o"];
    for (arguments, output) in [(&calibrate, &file), (&calibrate, &other), (&predict, &file), (&predict, &card)] {
        let answer = surmise(&[&arguments[..], &[output.as_str()]].concat());
        let told = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(answer.status.code() == Some(2) && told.contains("-o would replace"), "{told}");
    }
    assert_eq!(before, [&file, &card].map(|path| std::fs::read(path).expect("a file")));
}

#[test]
fn a_proxy_that_is_the_target_is_refused_and_one_that_ranks_as_it_does_is_said() {
    let of =
        |value: &dyn Fn(f64) -> f64| with(24, "p", |i| value(table(24)[i]["y"].parse::<f64>().expect("y")).to_string());
    assert!(refused(&table(24), &["--features", "a,b", "--proxy", "y"]).contains("--proxy y is the target itself"));
    for copy in [of(&|y| y), of(&|y| 2.0 * y), of(&|y| 1.0 - 0.5 * y)] {
        let told = refused(&copy, &["--features", "a,b", "--proxy", "p"]);
        assert!(told.contains("--proxy p is the target y in another unit"), "{told}");
    }
    let (_keep, at) = folder();
    let bent = calibrated(&of(&|y| (5.0 * y).exp()), &["--features", "a,b", "--proxy", "p"], &at("card.json"));
    let told = String::from_utf8_lossy(&bent.stderr).into_owned();
    assert!(told.contains("--proxy p RANKS THE ROWS AS THE TARGET y DOES"), "{told}");
}
