//! Checks that FAULTS.md has all rows, and that its rows name existing tests.

const TABLE: &str = include_str!("FAULTS.md");
const TESTS: [&str; 7] = [
    include_str!("faults_answers.rs"),
    include_str!("faults_folder.rs"),
    include_str!("faults_keys.rs"),
    include_str!("faults_limits.rs"),
    include_str!("faults_transport.rs"),
    include_str!("slow/kills.rs"),
    include_str!("panics.rs"),
];

#[test]
fn every_row_names_its_tests_and_every_test_its_row() {
    let rows: Vec<(usize, &str)> = TABLE
        .lines()
        .filter_map(|line| Some((line.strip_prefix("| ")?.split(' ').next()?.parse().ok()?, line)))
        .collect();
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=42).collect::<Vec<_>>());
    let tests: Vec<&str> = TESTS
        .iter()
        .flat_map(|text| text.split("#[test]\nfn ").skip(1))
        .filter_map(|text| text.split('(').next())
        .filter(|name| name.starts_with("fault_"))
        .collect();
    assert!(tests.len() > 42, "{}", tests.len());
    for name in &tests {
        // `fault_26_to_28_...` tests three rows, and the first of these rows names it.
        let number: usize = name[6..8].parse().expect("a number");
        assert!(rows[number - 1].1.contains(name), "{name} is not in its row");
    }
    for word in
        TABLE.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("fault_"))
    {
        assert!(word == "fault_" || tests.contains(&word), "{word} is no test");
    }
}
