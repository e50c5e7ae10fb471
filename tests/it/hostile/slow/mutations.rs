//! Tests a property of every command that reads files from other sources: for any bytes, the result is an
//! output or an error message, within limits of memory and time. The tests damage every kind of file at
//! random, with seeds, and run the real binary on it. `SURMISE_MUTATIONS` is the number of damaged files of
//! each kind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use rayon::prelude::*;
use serde_json::json;

use super::kinds::{Kind, kinds};
use super::mutate::Mutator;
use super::others;
use crate::hostile::bounded::{command, run};
use crate::serve::server::{CHAT, Serving};
use crate::support::fault_server::{Reply, Server};

/// Number of damaged files of each kind. For two dozen kinds, these are about two thousand files.
const EACH: u64 = 80;

fn each() -> u64 {
    std::env::var("SURMISE_MUTATIONS").map_or(EACH, |n| n.parse().expect("a number"))
}

/// Writes the files of a kind into a folder, damages one of them, and returns the damaged bytes.
fn put(kind: &Kind, seed: u64, folder: &Path) -> Vec<u8> {
    let mut mutator = Mutator::new(seed);
    let name = kind.damaged[seed as usize % kind.damaged.len()];
    let damaged = mutator.file(name, &kind.files[name]);
    for (file, bytes) in &kind.files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, if file == name { &damaged } else { bytes }).expect("a file");
    }
    damaged
}

#[test]
fn damaged_files_of_every_kind_are_a_result_or_a_message() {
    let each = each();
    for kind in kinds() {
        let ends: Vec<bool> = (0..each)
            .into_par_iter()
            .map(|seed| {
                let folder = tempfile::tempdir().expect("a folder");
                let damaged = put(&kind, seed, folder.path());
                let command = kind.commands[seed as usize / kind.damaged.len() % kind.commands.len()];
                let what = format!("{}, seed {seed}: {command:?}", kind.name);
                // For a command with the word URL, a server sends the damaged file as its answer. The address
                // of this server replaces the word.
                let server = command.contains(&"URL").then(|| {
                    let status = [200, 200, 200, 400, 429, 500][seed as usize % 6];
                    Server::start(move |_| Reply::new(status, damaged.clone()))
                });
                let url = server.as_ref().map_or("", |server| server.url.as_str());
                let command: Vec<&str> =
                    command.iter().map(|word| if *word == "URL" { url } else { *word }).collect();
                let ended = run(folder.path(), &command).orderly(&what);
                let is_plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
                assert!(ended.stderr.chars().all(is_plain), "{what}: {:?}", ended.stderr);
                ended.code == Some(0)
            })
            .collect();
        let done = ends.iter().filter(|done| **done).count();
        println!("{}: {done} of {each} gave a result, the others a message", kind.name);
        assert!(done < ends.len(), "{}: no damage was noticed", kind.name);
    }
}

/// The status of a chat with a model in `m`, or `None` if the server does not start.
fn chat(folder: &Path, what: &str) -> Option<u16> {
    let arguments = ["serve", "m", "--port", "0", "--timeout-s", "20", "-q"];
    let mut child = command(folder, &arguments)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(folder.join("stderr")).expect("a file"))
        .spawn()
        .expect("the binary");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    let Some(address) = line.trim().strip_prefix("http://").and_then(|url| url.strip_suffix("/v1")) else {
        let code = child.wait().expect("an end").code();
        let stderr = std::fs::read_to_string(folder.join("stderr")).expect("text");
        assert!(code == Some(1) && stderr.contains("surmise: "), "{what}: {code:?}: {stderr}");
        return None;
    };
    let server = Serving { child, address: address.to_owned() };
    let body = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "system", "content": "red"}, {"role": "user", "content": "red, blue,"}]});
    let status = server.ask(CHAT, &body).0;
    assert!([200, 400, 504].contains(&status), "{what}: {status}");
    assert_eq!(server.raw("GET", "/health", "", b"").0, 200, "{what}");
    Some(status)
}

#[test]
fn damaged_chat_templates_are_answered_or_refused() {
    let kind = others::chat_template();
    let ends: Vec<Option<u16>> = (0..each())
        .into_par_iter()
        .map(|seed| {
            let folder = tempfile::tempdir().expect("a folder");
            put(&kind, seed, folder.path());
            chat(folder.path(), &format!("chat template, seed {seed}"))
        })
        .collect();
    let of = |end| ends.iter().filter(|other| **other == end).count();
    println!(
        "chat templates: {} answered, {} refused, {} not served",
        of(Some(200)),
        of(Some(400)),
        of(None)
    );
    assert!(of(Some(200)) > 0 && of(Some(200)) < ends.len());
}
