//! Tests models in several GGUF files, which the `gguf` package writes if the number of tensors per file is
//! limited. The parts together give the same model as one file, and an error names a part that is missing or
//! belongs to another model.

use std::path::{Path, PathBuf};

use surmise::model::weights::Gguf;
use surmise::model::{LoadedDecoder, Model, ModelOptions};
use tempfile::TempDir;

use super::checkpoints::hub;
use super::gguf::file;

const NAMES: [&str; 3] =
    ["llama3-rope-00001-of-00003.gguf", "llama3-rope-00002-of-00003.gguf", "llama3-rope-00003-of-00003.gguf"];

/// Creates a folder with some of the parts.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names {
        std::fs::copy(file("parts").join(name), folder.path().join(name)).expect("a copy");
    }
    folder
}

fn load(path: &Path) -> surmise::Result<LoadedDecoder> {
    LoadedDecoder::load(path.to_str().expect("UTF-8"), &ModelOptions::default(), &hub())
}

fn refusal(path: &Path) -> String {
    load(path).err().expect("no model").to_string()
}

#[test]
fn any_part_of_a_model_opens_the_whole_model() {
    let whole = Gguf::open(&file("llama3-rope.gguf")).expect("a file");
    let info = load(&file("llama3-rope.gguf")).expect("a model").info;
    let parts: Vec<PathBuf> = NAMES.iter().map(|name| file("parts").join(name)).collect();
    for path in parts.iter().chain([&file("parts")]) {
        let loaded = load(path).expect("a model");
        assert_eq!(loaded.info.n_params, info.n_params);
        let label = if path.is_file() { "llama3-rope" } else { "parts" };
        assert_eq!(loaded.info.id, label);
    }
    let gguf = Gguf::open(&parts[1]).expect("a model");
    assert_eq!((gguf.names(), gguf.path()), (whole.names(), parts[0].as_path()));
    for name in whole.names() {
        assert_eq!(gguf.values(name).expect("values"), whole.values(name).expect("values"), "{name}");
    }
    // The hash covers all parts.
    let others = folder(&NAMES);
    let last = others.path().join(NAMES[2]);
    let mut bytes = std::fs::read(&last).expect("a file");
    let changed = bytes.len() - 1;
    bytes[changed] ^= 1;
    std::fs::write(&last, bytes).expect("a file");
    let hash = |folder: &Path| load(folder).expect("a model").info.weights_sha256;
    assert_ne!(hash(others.path()), hash(&file("parts")));
}

#[test]
fn a_part_that_is_missing_is_named() {
    let two = folder(&NAMES[..2]);
    for path in [two.path().to_owned(), two.path().join(NAMES[0]), two.path().join(NAMES[1])] {
        let message = refusal(&path);
        assert!(
            message.contains(&format!("{} is not in the same folder; download all parts", NAMES[2])),
            "{message}"
        );
    }
    let message = refusal(&folder(&NAMES[2..]).path().join(NAMES[2]));
    assert!(
        message
            .contains(&format!("{} is not in the same folder, and another part is missing, too;", NAMES[0])),
        "{message}"
    );
}

#[test]
fn parts_of_several_models_are_not_joined() {
    // A file that is not a part has the name of a part.
    let one = folder(&NAMES[..2]);
    std::fs::copy(file("llama3-rope.gguf"), one.path().join(NAMES[2])).expect("a copy");
    let message = refusal(one.path());
    assert!(
        message.contains("belongs to a different model than llama3-rope-00001-of-00003.gguf"),
        "{message}"
    );
    // A copy of the second part has the name of the third part.
    let twice = folder(&NAMES[..2]);
    std::fs::copy(file("parts").join(NAMES[1]), twice.path().join(NAMES[2])).expect("a copy");
    let message = refusal(twice.path());
    let expected = "is part 2 of 3 of a model according to its header, but its name does not match";
    assert!(message.contains(expected), "{message}");
    // The name of this file does not have the form of the name of a part.
    let renamed = folder(&[]);
    std::fs::copy(file("parts").join(NAMES[0]), renamed.path().join("a.gguf")).expect("a copy");
    let message = refusal(renamed.path());
    assert!(message.contains("is part 1 of 3 of a model according to its header"), "{message}");
    // The headers of two parts have different total numbers of tensors.
    let changed = folder(&NAMES);
    let path = changed.path().join(NAMES[1]);
    let mut bytes = std::fs::read(&path).expect("a file");
    let key = b"split.tensors.count";
    let at = bytes.windows(key.len()).position(|window| window == key).expect("the key") + key.len() + 4;
    bytes[at] += 1;
    std::fs::write(&path, bytes).expect("a file");
    let message = refusal(changed.path());
    assert!(message.contains("belongs to a different model"), "{message}");
    // If a folder contains two models, the message lists the first part of each.
    let two = folder(&NAMES);
    std::fs::write(two.path().join("b-00001-of-00002.gguf"), b"").expect("a file");
    let message = match Model::load_with(two.path().to_str().expect("UTF-8"), ModelOptions::default(), &hub())
    {
        Ok(_) => "it opens".into(),
        Err(error) => error.to_string(),
    };
    let expected = format!("give one of them: b-00001-of-00002.gguf, {}", NAMES[0]);
    assert!(message.ends_with(&expected), "{message}");
}
