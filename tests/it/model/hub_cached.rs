//! Tests a model in the cache. At most one request is sent to the hub, with a short timeout, and existing
//! files are not written again.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::hub::{Home, of_weights, refused, said};
use crate::support::hub_server::{COMMIT, ID, Reply, Repository, Server, WEIGHTS};

/// The modification time of every file and folder in a folder and its subfolders.
fn written(folder: &Path) -> BTreeMap<String, SystemTime> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        let metadata = std::fs::symlink_metadata(&path).expect("metadata");
        all.insert(path.display().to_string(), metadata.modified().expect("a time"));
        if metadata.is_dir() {
            open.extend(
                std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()),
            );
        }
    }
    all
}

#[test]
fn an_unreachable_hub_is_not_waited_for_and_a_note_names_the_cached_commit() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    let first = home.done(&hub, &[]);
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let silent =
        Server::start(|_, _| Reply { status: 200, silent: Duration::from_secs(5), ..Reply::default() });
    let busy = Server::start(|_, _| Reply { status: 503, ..Reply::default() });
    for url in [format!("http://{gone}"), silent.url.clone(), busy.url.clone()] {
        let mut command = home.command(&url, ID, &[]);
        let began = Instant::now();
        let (code, stdout, stderr) = said(&command.output().expect("the binary"));
        let own = began.elapsed();
        let began = Instant::now();
        home.done(&hub, &["--offline"]);
        assert_eq!((code, &stdout), (Some(0), &first), "{stderr}");
        let note = format!("using the cached commit {COMMIT}");
        assert!(stderr.contains("tiny/gpt2: ") && stderr.contains(&note), "{stderr}");
        assert!(own < began.elapsed() + Duration::from_millis(1500), "{own:?}");
    }
    assert_eq!(busy.take().len(), 1);
    // If the hub refuses a request, the cached files are not used instead.
    let refuses = Server::start(|_, _| Reply::status(401, "RepoNotFound"));
    home.refused(&refuses.url, &[], 1, &["there is no such model, or it is private or gated"]);
    // The files of a commit never change, so no request is sent.
    hub.take();
    home.done(&hub, &["--revision", COMMIT]);
    assert!(hub.take().is_empty());
}

#[test]
fn a_complete_cache_is_not_written() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    home.done(&hub, &[]);
    let before = written(&home.path("hf"));
    home.done(&hub, &[]);
    home.done(&hub, &["--revision", COMMIT]);
    home.done(&hub, &["--offline"]);
    assert_eq!(written(&home.path("hf")), before);
}

/// A regular file replaces the lock folder, so that locks cannot be written, even by root.
#[test]
fn a_cache_that_cannot_be_written_is_still_read() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    let first = home.done(&hub, &[]);
    let later = "89abcdef0123456789abcdef0123456789abcdef";
    let moved = Server::start(move |asked, _| {
        let files = Repository::golden().with("tokenizer_config.json", b"{\"changed\": true}");
        Repository { commit: later, ..files }.answer(asked)
    });
    std::fs::remove_dir_all(home.path("hf/hub/.locks")).unwrap_or_default();
    std::fs::write(home.path("hf/hub/.locks"), b"").expect("a file");
    let (code, stdout, stderr) = said(&home.command(&moved.url, ID, &[]).output().expect("the binary"));
    assert_eq!((code, &stdout), (Some(0), &first), "{stderr}");
    assert!(stderr.contains(&format!("commit {COMMIT}")), "{stderr}");
}

#[test]
fn the_older_variables_of_the_python_tools_are_read() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    let cache = home.path("elsewhere");
    let mut command = home.command(&hub.url, ID, &[]);
    let (code, _, stderr) = said(&command.env("HUGGINGFACE_HUB_CACHE", &cache).output().expect("the binary"));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(cache.join("models--tiny--gpt2/refs/main").is_file() && home.blobs().is_empty());
    hub.take();
    let mut command = home.command(&hub.url, ID, &[]);
    let command = command.env("HUGGINGFACE_HUB_CACHE", &cache).env("TRANSFORMERS_OFFLINE", "1");
    assert_eq!(said(&command.output().expect("the binary")).0, Some(0));
    let mut bare = home.command(&hub.url, ID, &[]);
    refused(bare.env("TRANSFORMERS_OFFLINE", "true"), 1, &["TRANSFORMERS_OFFLINE or --offline is set"]);
    assert!(hub.take().is_empty());
    let mut command = home.command(&hub.url, ID, &[]);
    let command = command.env_remove("HF_TOKEN").env("HUGGING_FACE_HUB_TOKEN", "hf_older");
    assert_eq!(said(&command.output().expect("the binary")).0, Some(0));
    assert!(hub.take().iter().all(|asked| asked.headers["authorization"] == "Bearer hf_older"));
    assert_eq!(of_weights(&hub.take(), "GET"), 0);
    assert!(home.cache("snapshots").join(COMMIT).join(WEIGHTS).is_file());
}
