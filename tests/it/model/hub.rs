//! Tests models that are named by a hub id. The binary connects to the scripted hub in `support`, and to no
//! other machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use surmise::seed::sha256_hex;
use tempfile::TempDir;

use crate::support::hub_server::{Asked, COMMIT, ID, Reply, Repository, Server, WEIGHTS, ranged};
use crate::support::tidy::profile_file;

pub const TOKEN: &str = "hf_thisIsTheSecretOfTheTest";
const LATER: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A home folder with an empty cache and a corpus.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        std::fs::write(home.path("corpus.csv"), "entity\nred\ngreen\nblue\nwhite\nblack\nyellow\n")
            .expect("a file");
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn cache(&self, name: &str) -> PathBuf {
        self.path("hf/hub/models--tiny--gpt2").join(name)
    }

    pub fn blobs(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.cache("blobs")).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn command(&self, endpoint: &str, model: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command
            .args([
                "measure",
                "--estimand=positional",
                model,
                "--corpus",
                "corpus.csv",
                "--windows",
                "60",
                "--entities",
                "3",
            ])
            .args(flags);
        for name in [
            "HF_HUB_CACHE",
            "HF_HUB_OFFLINE",
            "HUGGINGFACE_HUB_CACHE",
            "HUGGING_FACE_HUB_TOKEN",
            "TRANSFORMERS_OFFLINE",
            "HF_TOKEN_PATH",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env_remove(name);
        }
        command.current_dir(self.0.path()).env("HF_HOME", self.path("hf")).env("HF_ENDPOINT", endpoint);
        command.env("HF_TOKEN", TOKEN).env("HF_HUB_DOWNLOAD_TIMEOUT", "5").stdin(Stdio::null());
        command
    }

    pub fn done(&self, server: &Server, flags: &[&str]) -> String {
        let (code, stdout, stderr) =
            said(&self.command(&server.url, ID, flags).output().expect("the binary"));
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    }

    /// Asserts that the command fails with one message that contains all of `says`.
    pub fn refused(&self, endpoint: &str, flags: &[&str], code: i32, says: &[&str]) {
        refused(&mut self.command(endpoint, ID, flags), code, says);
    }
}

pub fn refused(command: &mut Command, code: i32, says: &[&str]) {
    let (seen, stdout, stderr) = said(&command.output().expect("the binary"));
    println!("{stderr}");
    assert_eq!((seen, &*stdout), (Some(code), ""), "{stderr}");
    assert!(
        stderr.starts_with("surmise: ") && stderr.lines().skip(1).all(|line| line.starts_with("  because: "))
    );
    says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in: {stderr}"));
}

/// The output for the golden folder, with the names of the model and its profiles replaced by the names for
/// the id.
pub fn of_id(rows: &str) -> String {
    rows.replace("\ngpt2,", &format!("\n{ID},")).replace(",gpt2--", ",tiny--gpt2--")
}

/// The exit code, stdout and stderr. Asserts that the output does not contain the token.
pub fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(!stdout.contains(TOKEN) && !stderr.contains(TOKEN), "the token is in the output");
    (output.status.code(), stdout, stderr)
}

pub fn of_weights(asked: &[Asked], method: &str) -> usize {
    asked.iter().filter(|asked| asked.method == method && asked.target.contains(WEIGHTS)).count()
}

#[test]
fn an_id_is_fetched_once_and_measured_like_its_folder_and_the_token_goes_to_no_other_host() {
    let (home, bytes) = (Home::new(), Repository::golden().files[WEIGHTS].clone());
    let storage =
        Server::start(move |asked, _| ranged(asked, &bytes, vec![("ETag", "\"of-the-storage\"".into())]));
    let repository = Repository { storage: Some(storage.url.clone()), ..Repository::golden() };
    let hub = Server::start(move |asked, _| repository.answer(asked));

    let first = home.done(&hub, &[]);
    let (asked, stored) = (hub.take(), storage.take());
    assert!(asked.iter().all(|asked| asked.headers["authorization"] == format!("Bearer {TOKEN}")));
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert!(!stored[0].headers.values().any(|value| value.contains(TOKEN)), "{stored:?}");

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2");
    let own = home.command(&hub.url, golden.to_str().expect("UTF-8"), &[]).output().expect("the binary");
    assert_eq!(of_id(&said(&own).1), first);

    // The cache has the layout of the Python tools.
    assert_eq!(std::fs::read_to_string(home.cache("refs/main")).expect("a ref"), COMMIT);
    let snapshot = home.cache("snapshots").join(COMMIT);
    for (name, bytes) in Repository::golden().files {
        assert_eq!(std::fs::read(snapshot.join(&name)).expect("a file"), bytes);
        let tag = sha256_hex(&bytes);
        let tag = if name == WEIGHTS { &tag } else { &tag[..40] };
        #[cfg(unix)]
        assert_eq!(
            std::fs::read_link(snapshot.join(&name)).expect("a link"),
            Path::new("../../blobs").join(tag)
        );
        assert!(home.cache("blobs").join(tag).is_file());
    }
    assert_eq!(home.blobs().len(), 4);

    hub.take();
    assert_eq!(home.done(&hub, &[]), first);
    assert_eq!(
        hub.take().iter().map(|asked| &*asked.target).collect::<Vec<_>>(),
        ["/api/models/tiny/gpt2/revision/main"]
    );
    assert_eq!(home.done(&hub, &["--offline"]), first);
    let offline = home.command(&hub.url, ID, &[]).env("HF_HUB_OFFLINE", "1").output().expect("the binary");
    assert_eq!(said(&offline).1, first);
    assert!(hub.take().is_empty() && storage.take().is_empty());
    // The slash of the id creates no subfolder: the profiles are in the given folder itself.
    home.done(&hub, &["-o", "out"]);
    profile_file(&home.path("out"), "tiny--gpt2", "corpus");
}

#[test]
fn a_branch_that_moves_is_updated_and_the_old_commit_is_kept() {
    let home = Home::new();
    let moved = Arc::new(Mutex::new(Repository::golden()));
    let now = moved.clone();
    let hub = Server::start(move |asked, _| now.lock().expect("a repository").answer(asked));
    home.done(&hub, &[]);
    hub.take();
    let later = Repository { commit: LATER, ..Repository::golden() }
        .with("tokenizer_config.json", b"{\"changed\": true}");
    *moved.lock().expect("a repository") = later;
    home.done(&hub, &[]);
    let fetched: Vec<_> =
        hub.take().into_iter().filter(|asked| asked.method == "GET").map(|asked| asked.target).collect();
    let expected = [
        "/api/models/tiny/gpt2/revision/main".to_owned(),
        format!("/{ID}/resolve/{LATER}/tokenizer_config.json"),
    ];
    assert_eq!(fetched, expected);
    assert_eq!(std::fs::read_to_string(home.cache("refs/main")).expect("a ref"), LATER);
    for (commit, changed) in [(COMMIT, false), (LATER, true)] {
        let text =
            std::fs::read_to_string(home.cache("snapshots").join(commit).join("tokenizer_config.json"));
        assert_eq!(text.expect("a file").contains("changed"), changed);
        let rows = home.done(&hub, &["--offline", "--revision", commit]);
        assert!(rows.contains(&format!("\n{ID}@{commit},")), "{rows}");
    }
}

#[test]
fn a_revision_is_escaped_in_the_route_and_stays_inside_the_cache() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    home.done(&hub, &["--revision", "refs/pr/1"]);
    assert_eq!(hub.take()[0].target, "/api/models/tiny/gpt2/revision/refs%2Fpr%2F1");
    assert_eq!(std::fs::read_to_string(home.cache("refs/refs/pr/1")).expect("a ref"), COMMIT);
    // The id names a revision, and the token comes from the file that a login writes.
    std::fs::write(home.path("hf/token"), "hf_of_the_login\n").expect("a file");
    let mut named = home.command(&hub.url, "tiny/gpt2@step1000", &[]);
    let named = named.env_remove("HF_TOKEN").output().expect("the binary");
    assert!(said(&named).1.contains("\ntiny/gpt2@step1000,"));
    let first = hub.take().swap_remove(0);
    assert_eq!(first.target, "/api/models/tiny/gpt2/revision/step1000");
    assert_eq!(first.headers["authorization"], "Bearer hf_of_the_login");
    for revision in ["../../x", "/etc", "a b", "", "..", "a\nb"] {
        home.refused(
            &hub.url,
            &["--revision", revision],
            2,
            &["--revision must be a branch, a tag or a commit"],
        );
    }
    let mut own = home.command(&hub.url, "minigpt-1", &["--revision", "main"]);
    refused(&mut own, 2, &["--revision applies to hub ids only, but `minigpt-1` is not a hub id"]);
    assert!(hub.take().is_empty());
}

#[test]
fn the_error_about_a_gated_private_or_missing_model_gives_advice() {
    let accept =
        "accept its terms, create a token at https://huggingface.co/settings/tokens and set HF_TOKEN";
    let sent = "the token is invalid or has no access to the model";
    for (status, code, says) in [
        (401, "GatedRepo", ["the model is gated", sent, accept]),
        (403, "GatedRepo", ["the model is gated", sent, accept]),
        (403, "", ["the model is gated", "/tiny/gpt2 in a browser", accept]),
        (401, "RepoNotFound", ["there is no such model, or it is private or gated", sent, "check the id"]),
        (404, "RepoNotFound", ["there is no such model", "there is no folder of this name", "check the id"]),
        (404, "RevisionNotFound", ["no such branch, tag or commit", "revision main", "tiny/gpt2"]),
        (404, "", ["no such model or revision", "revision main", "from http://127.0.0.1:"]),
        (418, "", ["the server returned an unexpected status: 418", "revision main", "tiny/gpt2"]),
    ] {
        let hub = Server::start(move |_, _| Reply::status(status, code));
        Home::new().refused(&hub.url, &[], 1, &says);
        assert_eq!(hub.take().len(), 1, "the request with status {status} was repeated");
    }
    // Many gated models have a public list of files, and only the files are gated.
    let hub = Server::start(|asked, _| match &*asked.method {
        "HEAD" => Reply::status(401, "GatedRepo"),
        _ => Repository::golden().answer(asked),
    });
    Home::new().refused(&hub.url, &[], 1, &["the model is gated", accept]);
    let home = Home::new();
    let mut bare = home.command(&hub.url, ID, &[]);
    refused(bare.env_remove("HF_TOKEN"), 1, &["the model is gated, and no token was sent", accept]);
}

#[test]
fn offline_without_a_cache_sends_no_request_and_names_what_is_missing() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    home.refused(
        &hub.url,
        &["--offline"],
        1,
        &["--offline is set", "this revision is missing in the cache", "download the model once"],
    );
    home.done(&hub, &[]);
    hub.take();
    home.refused(
        &hub.url,
        &["--offline", "--revision", "other"],
        1,
        &["revision other", "this revision is missing"],
    );
    std::fs::remove_file(home.cache("snapshots").join(COMMIT).join(WEIGHTS)).expect("a link");
    home.refused(&hub.url, &["--offline"], 1, &["the weights are missing in the cache"]);
    assert!(hub.take().is_empty());
    // The blob is still in the cache, so only the link to it is created again.
    home.done(&hub, &[]);
    assert_eq!(of_weights(&hub.take(), "GET"), 0);
}

#[test]
fn a_repository_that_lacks_a_file_is_refused_before_anything_is_fetched() {
    let golden = Repository::golden;
    for (repository, says) in [
        (
            golden().without(WEIGHTS).with("model-Q4_K_M.gguf", b""),
            "has only GGUF files (model-Q4_K_M.gguf); name one of them as owner/name:FILE",
        ),
        (golden().without(WEIGHTS), "has none of the weight files model.safetensors"),
        (golden().without(WEIGHTS).with("tf_model.h5", b""), "tf_model.h5 (TensorFlow)"),
        (
            golden().without("tokenizer.json").with("vocab.json", b""),
            "has no tokenizer.json, nor vocab.json with",
        ),
        (golden().without("config.json"), "has no config.json"),
    ] {
        let hub = Server::start(move |asked, _| repository.answer(asked));
        Home::new().refused(&hub.url, &[], 1, &[says]);
        assert_eq!(hub.take().len(), 1);
    }
    for body in ["", "<html>log in</html>", "{}", "{\"sha\": \"../../x\", \"siblings\": []}"] {
        let hub = Server::start(move |_, _| Reply { status: 200, body: body.into(), ..Reply::default() });
        Home::new().refused(&hub.url, &[], 1, &["list of files", "check HF_ENDPOINT"]);
    }
}

#[test]
fn every_file_an_index_names_is_fetched_and_none_outside_the_folder() {
    let index = "model.safetensors.index.json";
    let map = |file: &str| json!({"weight_map": {"wte.weight": file}}).to_string();
    for (file, says) in [
        ("../../../escaped", "names the file `../../../escaped`, which would lie outside the model's folder"),
        ("/escaped", "outside the model's folder"),
        ("a/../../escaped", "outside the model's folder"),
        ("..\\escaped", "outside the model's folder"),
        ("absent.safetensors", "names absent.safetensors, which the repository does not have"),
    ] {
        let home = Home::new();
        let repository = Repository::golden()
            .without(WEIGHTS)
            .with(index, map(file).as_bytes())
            .with("../../../escaped", b"x");
        let hub = Server::start(move |asked, _| repository.answer(asked));
        home.refused(&hub.url, &[], 1, &[index, says]);
        assert!(!hub.take().iter().any(|asked| asked.target.contains("escaped")));
        assert!(!home.path("escaped").exists() && !home.path("hf/escaped").exists());
    }
    for (index, shard) in
        [(index, "part/model-1.safetensors"), ("pytorch_model.bin.index.json", "pytorch_model-1.bin")]
    {
        let home = Home::new();
        let repository =
            Repository::golden().without(WEIGHTS).with(index, map(shard).as_bytes()).with(shard, b"shard");
        let hub = Server::start(move |asked, _| repository.answer(asked));
        // The command fails, because the shard is invalid; this test checks only that all files are
        // downloaded.
        home.command(&hub.url, ID, &[]).output().expect("the binary");
        let snapshot = home.cache("snapshots").join(COMMIT);
        assert_eq!(std::fs::read(snapshot.join(shard)).expect("a shard"), b"shard");
        assert!(snapshot.join(index).is_file() && home.cache("refs/main").is_file());
    }
}

#[test]
fn two_processes_at_once_fetch_a_file_once() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let reply = Repository::golden().answer(asked);
        let slow = asked.method == "GET" && asked.target.contains(WEIGHTS);
        Reply { silent: Duration::from_millis(if slow { 700 } else { 0 }), ..reply }
    });
    let start = || {
        let mut command = home.command(&hub.url, ID, &[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary")
    };
    let both = [start(), start(), start()].map(|child| said(&child.wait_with_output().expect("an end")));
    for (code, stdout, stderr) in &both {
        assert_eq!(*code, Some(0), "{stderr}");
        assert_eq!(*stdout, both[0].1);
    }
    assert_eq!(of_weights(&hub.take(), "GET"), 1);
}
