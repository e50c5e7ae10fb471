//! Tests of the layout of the source: imports between files, length of files and width of lines.
//!
//! `cargo test --release --test it structure::` runs only these checks, in less than a second.

pub mod graph;
pub mod imports;
pub mod limits;
pub mod tokens;
pub mod writers;

use std::path::Path;

use self::graph::Graph;
use self::imports::Module;

/// Every file of `src` that belongs to the library.
fn library() -> Vec<Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = limits::rust_files(&root);
    let modules = files.iter().filter(|file| !file.ends_with("main.rs")).map(|file| {
        let text = std::fs::read_to_string(file).expect("a source file");
        Module::new(imports::module_path(file.strip_prefix(&root).expect("below src")), &text)
    });
    modules.collect()
}

#[test]
fn files_do_not_import_each_other() {
    let modules = library();
    assert!(modules.len() > 100, "only {} files were found", modules.len());
    let graph = Graph::new(&modules);
    // A parser that finds no imports would find no cycles either. The library has several imports per file.
    assert!(graph.n_imports() > 2 * modules.len(), "only {} imports were read", graph.n_imports());
    let cycles = graph.cycles();
    assert!(cycles.is_empty(), "files import each other:\n{}", graph.describe(&cycles));
}

#[test]
fn folders_do_not_import_each_other() {
    let modules = library();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = Graph::new(&modules).of_folders(|path| root.join(path.replace("::", "/")).is_dir());
    assert!(folders.n_imports() > 50, "only {} imports between folders were read", folders.n_imports());
    let cycles = folders.cycles();
    assert!(cycles.is_empty(), "folders import each other:\n{}", folders.describe(&cycles));
}

#[test]
fn a_cycle_is_found_through_use_lines_inline_paths_and_re_exports() {
    let module = |path: &str, text: &str| Module::new(path.split("::").map(Into::into).collect(), text);
    let modules = [
        module("a", "pub mod first; pub mod second; pub use self::first::First;"),
        module("a::first", "use super::second; pub struct First; fn f() { second::g(); }"),
        module(
            "a::second",
            "// use crate::b::X;\nuse crate::a::First; pub fn g() { let s = \"crate::b::X\"; }",
        ),
        module("b", "#[cfg(test)]\nmod tests { use crate::c::C; }\npub struct X;"),
        module("c", "pub struct C; impl C { fn x() -> crate::b::X { crate::b::X } }"),
    ];
    let graph = Graph::new(&modules);
    let cycles = graph.cycles();
    assert_eq!(cycles.len(), 1, "{}", graph.describe(&cycles));
    assert_eq!(graph.names(&cycles[0]), ["a::first", "a::second"]);
    assert!(graph.imports("c", "b") && !graph.imports("b", "c") && !graph.imports("a::second", "b"));
}

#[test]
fn an_item_that_names_modules_which_import_it_forms_a_cycle() {
    let module = |path: &str, text: &str| Module::new(path.split("::").map(Into::into).collect(), text);
    let modules = [
        module("a", "mod one; use self::one::One; pub trait Seam {} pub static ALL: &[&dyn Seam] = &[&One];"),
        module("a::one", "use super::Seam; pub struct One; impl Seam for One {}"),
    ];
    assert_eq!(Graph::new(&modules).cycles().len(), 1);
}

/// A file without a `mod` line is never compiled, so its tests would be left out without a message.
#[test]
fn every_file_is_named_by_its_parent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n = 0;
    for file in ["src", "tests/it"].iter().flat_map(|folder| limits::rust_files(&root.join(folder))) {
        let (folder, name) = (file.parent().expect("a folder"), file.file_stem().expect("a name"));
        let is_parent = ["mod", "main", "lib"].iter().any(|parent| name == *parent);
        let (folder, name) = match is_parent {
            true if folder == root.join("src") || folder == root.join("tests/it") => continue,
            true => (folder.parent().expect("a folder"), folder.file_name().expect("a name")),
            false => (folder, name),
        };
        let line = format!("mod {};", name.to_string_lossy());
        let parents = ["mod.rs", "main.rs", "lib.rs"].map(|parent| folder.join(parent));
        let texts = parents.iter().filter_map(|parent| std::fs::read_to_string(parent).ok());
        assert!(texts.into_iter().any(|text| text.contains(&line)), "no `{line}` names {}", file.display());
        n += 1;
    }
    assert!(n > 100, "only {n} files were found");
}
