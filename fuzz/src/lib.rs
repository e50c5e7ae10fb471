//! Defines what each target does with its input bytes. A target fails if it panics, aborts, does not end, or
//! uses more memory than libFuzzer allows.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use surmise::arrays;
use surmise::calibration::{CalibrationSpec, Card, Table};
use surmise::collect::budget::price::Price;
use surmise::collect::tasks::{self, Rendering, TaskOptions};
use surmise::collect::{Grader, journal};
use surmise::corpus::texts::Columns;
use surmise::corpus::{Category, Series, Texts};
use surmise::import::{self, Form, ImportOptions, Opened};
use surmise::model::arch::{self, Config};
use surmise::model::tokenizer::TokenizerFiles;
use surmise::model::weights::{Checkpoint, Init, ParameterSource};
use surmise::model::{Bos, ChatFiles, ChatMessage, ChatTemplate, Model, Precision, Tokenizer};
use surmise::provider::{self, Headers};
use surmise::report::{self, Selection};
use surmise::serve::{LocalServer, ServerSettings};
use surmise::study::file::StudyFile;

#[path = "../../tests/it/hostile/archive.rs"]
mod archive;
mod assembled;

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
}

/// A file with this name and these bytes, in a folder that all runs of a process share.
fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    std::fs::write(&path, data).expect("a file");
    path
}

fn every_tensor(checkpoint: &Checkpoint) {
    let shapes: Vec<(String, Vec<usize>)> =
        checkpoint.shapes().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    for (name, shape) in shapes {
        drop(checkpoint.tensor(&name, &shape, Init::Zeros));
    }
}

pub fn safetensors(data: &[u8]) {
    if let Ok(checkpoint) = Checkpoint::new(Path::new("model.safetensors"), Cow::Owned(data.to_vec())) {
        every_tensor(&checkpoint);
    }
}

pub fn gguf(data: &[u8]) {
    drop(Model::load(file("model.gguf", data).to_str().expect("UTF-8")));
}

pub fn torch(data: &[u8]) {
    if let Ok(checkpoint) = Checkpoint::open(&file("pytorch_model.bin", data), Precision::F32) {
        every_tensor(&checkpoint);
    }
}

/// Reads the bytes as the pickle in an otherwise valid archive.
pub fn pickle(data: &[u8]) {
    torch(&archive::stored(&[("a/data.pkl", data), ("a/data/0", &[0; 256])]));
}

pub fn config(data: &[u8]) {
    let Ok(config) = Config::parse(Path::new("config.json"), data) else { return };
    if let Ok((_, spec)) = arch::read(&config) {
        drop(spec.fault());
    }
}

struct OneFile(&'static str, Vec<u8>);

impl TokenizerFiles for OneFile {
    fn path(&self, file: &str) -> PathBuf {
        file.into()
    }

    fn read(&self, file: &str) -> surmise::Result<Option<Cow<'static, [u8]>>> {
        Ok((file == self.0).then(|| Cow::Owned(self.1.clone())))
    }
}

/// Reads the bytes as a tokenizer.json, as a tokenizer.model of SentencePiece, or as choices of the parts of
/// a tokenizer.json.
pub fn tokenizer(data: &[u8]) {
    let config = Config::parse(Path::new("config.json"), br#"{"vocab_size": 100000}"#).expect("a config");
    let file = match data.first() {
        Some(b'{') => OneFile("tokenizer.json", data.to_vec()),
        Some(b'\n') => OneFile("tokenizer.model", data.to_vec()),
        _ => OneFile("tokenizer.json", assembled::tokenizer(data).into_bytes()),
    };
    let Ok(tokenizer) = Tokenizer::open(&file, &config, Bos::Auto) else { return };
    for text in ["", "red, green", "\u{e9}\u{fb03} \u{4e2d}\n\n  1234567 don't"] {
        drop(tokenizer.encode(text));
        if let Ok((ids, _)) = tokenizer.encode_any(text, true) {
            drop(tokenizer.decode(&ids));
        }
    }
    drop(tokenizer.decode(&[0, 1, 2, 99_999]));
}

pub fn template(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let files = ChatFiles { template: Some(source.to_owned()), ..ChatFiles::default() };
    let Ok(template) = ChatTemplate::of(&files) else { return };
    let message = |role: &str| ChatMessage { role: role.into(), content: " red\n".into() };
    drop(template.render(&[message("system"), message("user"), message("assistant")]));
}

/// Corrects the checksums of the lines, because a wrong checksum ends the reading before the values are
/// parsed.
pub fn journal(data: &[u8]) {
    const FRAME: &[u8] = b",\"crc\":\"";
    let mut signed = vec![];
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let object = line.strip_suffix(b"\n").and_then(|line| line.strip_suffix(b"}"));
        let Some(object) = object else {
            signed.extend(line);
            continue;
        };
        let end = object.windows(FRAME.len()).rposition(|window| window == FRAME).unwrap_or(object.len());
        let object = &object[..end];
        signed.extend([object, FRAME, format!("{:08x}\"}}\n", crc32fast::hash(object)).as_bytes()].concat());
    }
    let path = file("journal.jsonl", &signed);
    drop(journal::Index::read(path.parent().expect("a folder")));
}

/// Reads a card as given, and with a corrected hash.
pub fn card(data: &[u8]) {
    const NAME: &[u8] = b"\"card_sha256\": \"";
    drop(Card::read(&file("card.json", data)));
    let Some(at) = data.windows(NAME.len()).position(|window| window == NAME) else { return };
    let Some((hash, after)) = data[at + NAME.len()..].split_at_checked(64) else { return };
    if !hash.iter().all(u8::is_ascii_alphanumeric) {
        return;
    }
    // The hash covers the bytes without the first occurrence of the hash.
    let Some(first) = data.windows(64).position(|window| window == hash) else { return };
    let without = [&data[..first], &data[first + 64..]].concat();
    let right: String = Sha256::digest(&without).iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = [&data[..at + NAME.len()], right.as_bytes(), after].concat();
    let Ok(card) = Card::read(&file("card.json", &signed)) else { return };
    drop(card.to_bytes());
}

pub fn study(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        drop(StudyFile::parse(Path::new("study.toml"), text));
    }
}

/// Makes a report of the remaining bytes; the first byte chooses the report.
pub fn reports(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let report = report::ALL[usize::from(*first) % report::ALL.len()];
    let path = file(report.input().file, rest);
    if let Ok(made) = report.make(&[path], &Selection::default()) {
        made.table.csv().expect("a table");
        // Only some inputs make a PDF, which takes long because it reads the font.
        for (_, figure) in made.figures.iter().filter(|_| *first >= 224) {
            drop(figure.pdf());
        }
    }
}

/// Reads a file of a user. The first byte chooses the kind: a table to calibrate on, arrays, a corpus, texts,
/// items or prices.
pub fn inputs(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let path = file("input.csv", rest);
    match first % 6 {
        0 => {
            let Ok(table) = Table::read(&path) else { return };
            for target in table.columns().iter().take(2) {
                let spec =
                    CalibrationSpec { target: target.clone(), level: 0.9, ..CalibrationSpec::default() };
                drop(spec.prepare(&table));
            }
        }
        1 => drop(arrays::read(&path, "x")),
        2 => {
            if let Ok(category) = Category::load(path.to_str().expect("UTF-8")) {
                drop(Series::draw(&category, 2, 4, 0));
            }
        }
        3 => drop(Texts::read(&path, &Columns::default())),
        4 => {
            let grader = Grader::default();
            let options = TaskOptions { shots: 1, items: 2, seed: 0, rendering: Rendering::Text, grader };
            let Ok(tasks) = tasks::load(&[path.to_str().expect("UTF-8").to_owned()], &options) else {
                return;
            };
            for task in &tasks {
                task.items.iter().for_each(drop);
            }
        }
        _ => drop(Price::read(&path, "m")),
    }
}

pub fn imports(data: &[u8]) {
    let path = file("results.json", data);
    let opened = Opened { path: &path, bytes: data, form: &Form::of(data) };
    for importer in import::ALL {
        if importer.sniff(&opened) {
            drop(importer.import(&opened, &ImportOptions::default()));
        }
    }
}

pub fn answers(data: &[u8]) {
    let headers = Headers::new([("content-type", "application/json")]);
    for provider in provider::ALL {
        for status in [200, 400, 429] {
            drop(provider::read(*provider, status, &headers, data));
        }
    }
}

thread_local! {
    static SERVER: OnceCell<(tokio::runtime::Runtime, LocalServer)> = const { OnceCell::new() };
}

fn server() -> (tokio::runtime::Runtime, LocalServer) {
    let settings = ServerSettings {
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 0,
        max_concurrent: 4,
        max_waiting: 64,
        timeout: Duration::from_secs(5),
        key: None,
        seed: 0,
    };
    let model = Model::load("minigpt-1").expect("a bundled model");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    (runtime, LocalServer::start(vec![model], &settings).expect("a server"))
}

/// Sends the remaining bytes to the server; the first byte chooses the route.
pub fn requests(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let path = if first % 2 == 0 { "/v1/completions" } else { "/v1/chat/completions" };
    SERVER.with(|cell| {
        let (runtime, server) = cell.get_or_init(server);
        drop(runtime.block_on(server.clone().post(path.into(), rest.to_vec())));
    });
}
