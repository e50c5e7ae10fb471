//! Checks that the tables of docs/checkpoints.md match the program: the supported architectures, and the
//! files that are read or refused. `scripts/docs` writes the tables.

use std::path::Path;

use super::arch::{self, ALL, KINDS, MULTIMODAL};
use super::weights::{foreign, gguf};

/// Formats one row of a Markdown table.
fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let line = row(&head) + &"|---".repeat(head.len()) + "|\n";
    rows.into_iter().fold(line, |text, cells| text + &row(&cells))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn list(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().map(|text| code(text.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The table of architectures: one row for each `model_type`, with the names of this architecture in GGUF
/// files.
fn architectures() -> String {
    let decoders = ALL.iter().map(|a| (a.model_type(), a.summary()));
    let whole = MULTIMODAL.iter().map(|whole| (whole.model_type, whole.summary));
    let line = |(model_type, summary): (&str, &str)| {
        // A GGUF file of a multimodal model contains only the text part.
        let names = match model_type {
            "gemma3" => vec!["gemma3"],
            "qwen2_vl" | "qwen2_5_vl" => vec!["qwen2vl"],
            "qwen3_vl" => vec!["qwen3vl"],
            other => arch::gguf::names_of(other).into_iter().filter(|name| !name.ends_with("vl")).collect(),
        };
        vec![code(model_type), summary.to_owned(), list(names)]
    };
    table(
        &["`model_type`", "models", "`general.architecture` of a GGUF file"],
        decoders.chain(whole).map(line),
    )
}

fn types() -> String {
    let [read, refused] = gguf::types();
    table(
        &["tensor types of GGUF", ""],
        [vec!["read".into(), list(read)], vec!["refused".into(), list(refused)]],
    )
}

fn refused_architectures() -> String {
    table(&["what a model does", "`model_type`"], KINDS.map(|(why, kinds)| vec![why.to_owned(), list(kinds)]))
}

fn refused_files() -> String {
    let whole = |names: &[&str]| {
        let reason = foreign::reason(names).unwrap_or_default();
        vec![list(names), format!("the folder {reason}").replace('|', "\\|")]
    };
    let first = |ends: &[&'static str]| {
        if ends[0].starts_with('.') { format!("model{}", ends[0]) } else { ends[0].into() }
    };
    let mut rows = vec![
        whole(&["checkpoint-500/config.json", "checkpoint-1000/config.json"]),
        whole(&["consolidated.00.pth"]),
    ];
    rows.extend(foreign::FILES.iter().map(|(ends, _, _)| whole(&[&first(ends)])));
    rows.push(whole(&["my-model.safetensors"]));
    table(&["files in the folder", "message"], rows)
}

fn quantised() -> String {
    let rows = foreign::MARKS.iter().map(|(end, method)| vec![code(end), (*method).to_owned()]);
    table(&["a tensor whose name ends in", "quantisation method of the weights"], rows)
}

#[test]
fn the_page_has_the_tables_of_the_registries() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checkpoints.md");
    let mut page = std::fs::read_to_string(&path).expect("docs/checkpoints.md");
    let written = page.clone();
    for (name, table) in [
        ("architectures", architectures()),
        ("types", types()),
        ("refused architectures", refused_architectures()),
        ("refused files", refused_files()),
        ("quantised", quantised()),
    ] {
        let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->\n");
        let start =
            page.find(&begin).unwrap_or_else(|| panic!("the page has no table `{name}`")) + begin.len();
        let stop = start + page[start..].find(end).expect("the end of a table");
        page.replace_range(start..stop, &table);
    }
    if std::env::var_os("SURMISE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/checkpoints.md");
        return;
    }
    assert!(
        page == written,
        "the tables of docs/checkpoints.md differ from the registries; run scripts/docs"
    );
}
