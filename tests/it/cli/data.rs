//! Tests that the files of data/ and calibration/ match the tables that describe them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use surmise::corpus::Category;
use surmise::corpus::category::{DEFAULT, EMBEDDED, INVENTED};
use surmise::seed::sha256_hex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The rows of a Markdown table whose header starts with `file`.
fn provenance() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(root().join("data/README.md")).expect("data/README.md");
    let rows = text.lines().filter(|line| line.starts_with('|') && line.contains(".csv"));
    rows.map(|line| {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        (cells[0].clone(), cells)
    })
    .collect()
}

#[test]
fn every_data_file_has_a_provenance_row_that_is_true() {
    let rows = provenance();
    let mut files = 0;
    let files_in = |folder: &str| std::fs::read_dir(root().join(folder)).expect("a folder");
    for entry in files_in("data").chain(files_in("data/public")) {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        files += 1;
        let name = path.strip_prefix(root().join("data")).expect("a file").to_string_lossy().into_owned();
        let row = rows.get(&name).unwrap_or_else(|| panic!("data/README.md has no row for {name}"));
        let bytes = std::fs::read(&path).expect("a data file");
        let n = csv::Reader::from_reader(bytes.as_slice()).records().count();
        assert_eq!(row[1], n.to_string(), "{name}: rows");
        assert!(row[2..5].iter().all(|cell| !cell.is_empty()), "{name}: an empty cell");
        assert_eq!(row[5], sha256_hex(&bytes), "{name}: sha256");
    }
    assert_eq!(files, rows.len(), "data/README.md names a file that is not there");
}

/// Every embedded category.
fn categories() -> impl Iterator<Item = Category> {
    EMBEDDED.iter().map(|(name, _)| Category::load(name).expect(name))
}

/// The answer of each relation for entity `i`, with the name of the relation.
fn answers(category: &Category, i: usize) -> impl Iterator<Item = (&str, &str)> {
    category.relations.iter().map(move |relation| (relation.name.as_str(), relation.answers[i].as_str()))
}

#[test]
fn every_table_is_embedded_under_its_name_and_large_enough() {
    let files: BTreeSet<_> = provenance().into_keys().filter(|name| !name.starts_with("public/")).collect();
    let embedded: BTreeSet<_> = EMBEDDED.iter().map(|(name, _)| format!("{name}.csv")).collect();
    assert_eq!(files, embedded);
    // These five, in this order, are the default categories.
    assert_eq!(DEFAULT, ["countries", "animals", "colours", "numbers", "cities"]);
    for (default, (embedded, _)) in DEFAULT.iter().zip(EMBEDDED) {
        assert_eq!(default, embedded);
    }
    for category in categories() {
        let name = &category.name;
        assert!(category.entities.len() >= 60, "{name}: {} entities", category.entities.len());
        assert!(category.relations.len() >= 2, "{name}: {} relations", category.relations.len());
        // In a list of answers, a comma ends an answer.
        let fits = |text: &str| !text.is_empty() && text.is_ascii() && !text.contains([',', '"', '\n']);
        let distinct: BTreeSet<_> = category.entities.iter().map(|entity| entity.to_lowercase()).collect();
        assert_eq!(distinct.len(), category.entities.len(), "{name}: an entity occurs twice");
        for (i, entity) in category.entities.iter().enumerate() {
            assert!(fits(entity), "{name}: {entity}");
            for (relation, answer) in answers(&category, i) {
                assert!(fits(answer), "{name}: {relation} of {entity} is {answer:?}");
            }
        }
    }
}

/// The measurement of a relation assumes that the first word of an answer shows which relation was asked for,
/// and that the answer cannot be copied from the entity.
#[test]
fn answers_of_two_relations_share_no_first_word() {
    let others = [&DEFAULT[..], &INVENTED].concat();
    for category in categories().filter(|category| !others.contains(&category.name.as_str())) {
        let name = &category.name;
        assert!(category.relations.len() >= 3, "{name}: {} relations", category.relations.len());
        let mut relation_of = BTreeMap::new();
        for (i, entity) in category.entities.iter().enumerate() {
            for (relation, answer) in answers(&category, i) {
                assert!(!entity.contains(answer), "{name}: {relation} of {entity} is {answer:?}");
                let word = answer.split(' ').next().unwrap_or_default().to_lowercase();
                let known = *relation_of.entry(word).or_insert(relation);
                assert_eq!(
                    known, relation,
                    "{name}: {relation} of {entity} begins like an answer of {known}"
                );
            }
        }
    }
}

/// The relations of an invented category share one list of answers, and each prefers a third of it.
#[test]
fn invented_relations_share_their_answers_with_the_documented_preferences() {
    for (name, preference) in INVENTED.into_iter().zip([0.70, 0.85, 0.95]) {
        let category = Category::load(name).expect(name);
        let of_relation = |relation: usize| -> Vec<&str> {
            category.relations[relation].answers.iter().map(String::as_str).collect()
        };
        let list: BTreeSet<&str> = (0..3).flat_map(of_relation).collect();
        assert_eq!((category.entities.len(), category.relations.len(), list.len()), (100, 3, 24), "{name}");
        // The eight most frequent answers of a relation make up about the documented share of its answers.
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for relation in 0..3 {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            of_relation(relation).into_iter().for_each(|answer| *counts.entry(answer).or_default() += 1);
            let mut counts: Vec<_> = counts.into_iter().map(|(answer, n)| (n, answer)).collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let own: usize = counts.iter().take(8).map(|(n, _)| n).sum();
            assert!((own as f64 / 100.0 - preference).abs() < 0.16, "{name}: {own} of 100 of {relation}");
            taken.extend(counts.iter().take(8).map(|(_, answer)| answer));
        }
        // The relations prefer different thirds. Answers with equal frequency may cause some overlap.
        assert!(taken.len() >= 20, "{name}: {taken:?}");
        for i in 0..100 {
            let answers: BTreeSet<&str> = answers(&category, i).map(|(_, answer)| answer).collect();
            assert_eq!(answers.len(), 3, "{name}: two relations of one entity have the same answer");
        }
    }
}

#[test]
fn the_font_of_figures_matches_its_provenance() {
    let text = std::fs::read_to_string(root().join("data/README.md")).expect("data/README.md");
    let font = std::fs::read(root().join("data/DejaVuSans-figures.ttf")).expect("the font");
    assert!(text.contains(&sha256_hex(&font)));
}

#[test]
fn cities_lie_in_known_countries_and_on_their_continents() {
    let read = |name: &str| -> Vec<csv::StringRecord> {
        csv::Reader::from_path(root().join("data").join(name))
            .expect(name)
            .records()
            .map(|r| r.expect("a row"))
            .collect()
    };
    let continents: BTreeMap<String, String> =
        read("countries.csv").iter().map(|row| (row[0].to_owned(), row[2].to_owned())).collect();
    for row in read("cities.csv") {
        assert_eq!(continents.get(&row[1]).map(String::as_str), Some(&row[2]), "{}", &row[0]);
    }
}

#[test]
fn the_embedded_family_is_small_enough_and_matches_family_csv() {
    let mut reader = csv::Reader::from_path(root().join("calibration/family.csv")).expect("family.csv");
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    let (mut bytes, mut last) = (0, ("", f64::INFINITY));
    let is_here = |row: &&BTreeMap<String, String>| root().join("calibration").join(&row["model"]).is_dir();
    let (here, recorded): (Vec<_>, Vec<_>) = rows.iter().partition(is_here);
    assert_eq!((here.len(), recorded.len()), (14 + 36, 44));
    let names: BTreeSet<&str> = here.iter().map(|row| row["model"].as_str()).collect();
    assert_eq!(names, surmise::model::embedded().map(|member| member.name).collect());
    for row in here {
        let folder = root().join("calibration").join(&row["model"]);
        for entry in std::fs::read_dir(&folder).expect("a member's folder") {
            bytes += entry.and_then(|entry| entry.metadata()).expect("a file").len();
        }
        let model = surmise::model::Model::load(&row["model"]).expect("an embedded model");
        assert_eq!(model.info.n_params.to_string(), row["n_params"]);
        assert_eq!(model.info.family.as_ref(), Some(&row["family"]));
        assert!(model.info.n_layers >= 2);
        let number = |column: &str| row[column].parse::<f64>().expect("a number");
        // As described in calibration/README.md: held-out loss falls with size in each family, and examples
        // raise the accuracy of the families that answer nearly everything right.
        let loss = number("held_out_loss_nats");
        let is_last = !row["model"].contains("-step");
        if !is_last {
            continue;
        }
        assert!(row["family"] != last.0 || loss < last.1, "{}: loss {loss} after {}", row["model"], last.1);
        if row["family"].starts_with("mini") {
            assert!(number("accuracy_7_shots") > number("accuracy_0_shots"), "{}", row["model"]);
        }
        last = (&row["family"], loss);
    }
    assert!(bytes <= 14_000_000, "the families take {bytes} bytes");
    // The invented facts have the intended difficulty: some members guess, and others answer nearly
    // everything right.
    let facts = rows.iter().filter(|row| row["family"].starts_with("fact"));
    let most: Vec<f64> = facts.map(|row| row["accuracy_7_shots"].parse().expect("a number")).collect();
    assert!(most.iter().any(|share| *share < 0.2) && most.iter().any(|share| *share > 0.9), "{most:?}");
}
