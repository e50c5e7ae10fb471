//! What each target does with its bytes. A target fails if it panics, aborts, runs on or takes more memory
//! than libFuzzer admits.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use surmise::calibration::Card;
use surmise::collect::journal;
use surmise::import::{self, ImportOptions};
use surmise::model::arch::{self, Config};
use surmise::model::tokenizer::TokenizerFiles;
use surmise::model::weights::{Checkpoint, Init, ParameterSource};
use surmise::model::{Bos, ChatFiles, ChatMessage, ChatTemplate, Model, Precision, Tokenizer};
use surmise::provider::{self, Headers};
use surmise::report::{self, Selection};
use surmise::serve::{LocalServer, ServerSettings};
use surmise::study::file::StudyFile;

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
}

/// A file of this name with these bytes, in a folder that all runs of a process share.
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

/// The bytes as the pickle of an archive that is whole.
pub fn pickle(data: &[u8]) {
    torch(&archive(&[("a/data.pkl", data), ("a/data/0", &[0; 256])]));
}

/// A ZIP archive of stored entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (vec![], vec![]);
    for (name, data) in entries {
        let sum = crc32fast::hash(data).to_le_bytes();
        let (size, length) = ((data.len() as u32).to_le_bytes(), (name.len() as u16).to_le_bytes());
        let start = (bytes.len() as u32).to_le_bytes();
        let common: Vec<u8> =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &sum, &size, &size, &length, &[0, 0]].concat();
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), data].concat());
        let rest = [&[0; 10][..], &start].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &rest, name.as_bytes()].concat());
    }
    let n = (entries.len() as u16).to_le_bytes();
    let (size, start) = ((directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &n, &n, &size, &start, &[0, 0]].concat();
    [bytes, directory, end].concat()
}

pub fn config(data: &[u8]) {
    let Ok(config) = Config::parse(Path::new("config.json"), data) else { return };
    if let Ok((_, spec)) = arch::read(&config) {
        drop(spec.fault());
    }
}

struct OneFile(Vec<u8>);

impl TokenizerFiles for OneFile {
    fn path(&self, file: &str) -> PathBuf {
        file.into()
    }

    fn read(&self, file: &str) -> surmise::Result<Option<Cow<'static, [u8]>>> {
        Ok((file == "tokenizer.json").then(|| Cow::Owned(self.0.clone())))
    }
}

pub fn tokenizer(data: &[u8]) {
    let config = Config::parse(Path::new("config.json"), br#"{"vocab_size": 100000}"#).expect("a config");
    let Ok(tokenizer) = Tokenizer::open(&OneFile(data.to_vec()), &config, Bos::Auto) else { return };
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

pub fn journal(data: &[u8]) {
    let path = file("journal.jsonl", data);
    drop(journal::Index::read(path.parent().expect("a folder")));
}

pub fn card(data: &[u8]) {
    drop(Card::read(&file("card.json", data)));
}

pub fn study(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        drop(StudyFile::parse(Path::new("study.toml"), text));
    }
}

/// The first byte chooses the report.
pub fn reports(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let report = report::ALL[usize::from(*first) % report::ALL.len()];
    let path = file(report.input().file, rest);
    if let Ok(made) = report.make(&[path], &Selection::default()) {
        made.table.csv().expect("a table");
        for (_, figure) in &made.figures {
            drop(figure.pdf());
        }
    }
}

pub fn imports(data: &[u8]) {
    let path = file("results.json", data);
    for importer in import::ALL {
        if importer.sniff(&path, data) {
            drop(importer.import(&path, data, &ImportOptions::default()));
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

/// The first byte chooses the route.
pub fn requests(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let path = if first % 2 == 0 { "/v1/completions" } else { "/v1/chat/completions" };
    SERVER.with(|cell| {
        let (runtime, server) = cell.get_or_init(server);
        drop(runtime.block_on(server.clone().post(path.into(), rest.to_vec())));
    });
}
