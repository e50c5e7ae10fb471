//! The files of data/ and calibration/ are what their tables say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use surmise::corpus::Category;
use surmise::corpus::category::{DEFAULT, EMBEDDED};
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
    for entry in std::fs::read_dir(root().join("data")).expect("data") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        files += 1;
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
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

/// Every relation's answer to one entity, with the relation's name.
fn answers(category: &Category, i: usize) -> impl Iterator<Item = (&str, &str)> {
    category.relations.iter().map(move |relation| (relation.name.as_str(), relation.answers[i].as_str()))
}

#[test]
fn every_table_is_embedded_under_its_name_and_large_enough() {
    let files: BTreeSet<_> = provenance().into_keys().collect();
    let embedded: BTreeSet<_> = EMBEDDED.iter().map(|(name, _)| format!("{name}.csv")).collect();
    assert_eq!(files, embedded);
    // What takes all default categories counts on these five, in this order.
    assert_eq!(DEFAULT, ["countries", "animals", "colours", "numbers", "cities"]);
    for (default, (embedded, _)) in DEFAULT.iter().zip(EMBEDDED) {
        assert_eq!(default, embedded);
    }
    for category in categories() {
        let name = &category.name;
        assert!(category.entities.len() >= 60, "{name}: {} entities", category.entities.len());
        assert!(category.relations.len() >= 2, "{name}: {} relations", category.relations.len());
        // A comma ends an answer in a list.
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

/// What the measure of a relation counts on: the first word of an answer tells which relation was asked for,
/// and the answer cannot be copied from the entity.
#[test]
fn answers_of_two_relations_have_nothing_in_common() {
    for category in categories().filter(|category| !DEFAULT.contains(&category.name.as_str())) {
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

#[test]
fn the_font_of_figures_is_the_one_its_provenance_tells_of() {
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
fn the_embedded_family_is_small_enough_and_what_family_csv_says() {
    let mut reader = csv::Reader::from_path(root().join("calibration/family.csv")).expect("family.csv");
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 14);
    let (mut bytes, mut last) = (0, ("", f64::INFINITY));
    for row in &rows {
        let folder = root().join("calibration").join(&row["model"]);
        for entry in std::fs::read_dir(&folder).expect("a member's folder") {
            bytes += entry.and_then(|entry| entry.metadata()).expect("a file").len();
        }
        let model = surmise::model::Model::load(&row["model"]).expect("an embedded model");
        assert_eq!(model.info.n_params.to_string(), row["n_params"]);
        assert_eq!(model.info.family.as_ref(), Some(&row["family"]));
        assert!(model.info.n_layers >= 2);
        let number = |column: &str| row[column].parse::<f64>().expect("a number");
        // What the README says of the family: held-out loss falls with size in each family, and shots help.
        let loss = number("held_out_loss_nats");
        assert!(row["family"] != last.0 || loss < last.1, "{}: loss {loss} after {}", row["model"], last.1);
        assert!(number("accuracy_7_shots") > number("accuracy_0_shots"), "{}", row["model"]);
        last = (&row["family"], loss);
    }
    assert!(bytes <= 9_000_000, "the family takes {bytes} bytes");
}
