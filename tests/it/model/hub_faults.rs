//! Tests faults of a hub and of the connection to it: responses that are truncated, wrong, missing or
//! misleading.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use surmise::seed::sha256_hex;

use super::hub::{Home, of_weights, refused};
use crate::support::hub_server::{Asked, COMMIT, ID, Reply, Repository, Server, WEIGHTS};

#[test]
fn a_lost_connection_and_a_busy_server_are_retried_with_a_range() {
    let home = Home::new();
    let hub = Server::start(|asked, before| {
        let reply = Repository::golden().answer(asked);
        match (asked.target.contains(WEIGHTS), &*asked.method, before) {
            (true, "HEAD", 0) => Reply { status: 503, ..Reply::default() },
            (true, "HEAD", 1) => {
                Reply { status: 429, headers: vec![("Retry-After", "0".into())], ..Reply::default() }
            }
            (true, "GET", 0 | 1) => Reply { cut: Some(100_000), ..reply },
            _ => reply,
        }
    });
    home.done(&hub, &[]);
    let asked = hub.take();
    assert_eq!((of_weights(&asked, "HEAD"), of_weights(&asked, "GET")), (3, 3));
    let gets: Vec<_> = asked.iter().filter(|a| a.method == "GET" && a.target.contains(WEIGHTS)).collect();
    let ranges: Vec<_> = gets.iter().map(|asked| asked.headers.get("range").map(String::as_str)).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-"), Some("bytes=200000-")]);
    assert!(home.blobs().iter().all(|blob| !blob.ends_with("incomplete")));
}

#[test]
fn a_partial_download_continues_in_the_next_run_and_a_damaged_one_starts_again() {
    let (home, bytes) = (Home::new(), Repository::golden().files[WEIGHTS].clone());
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    let partial = home.cache(&format!("blobs/{}.incomplete", sha256_hex(&bytes)));
    for (begun, ranges) in [
        (bytes[..1000].to_vec(), vec![Some("bytes=1000-".to_owned())]),
        (bytes.clone(), vec![]),
        (vec![7; 1000], vec![Some("bytes=1000-".to_owned()), None]),
        (vec![7; bytes.len()], vec![None]),
        (vec![7; bytes.len() + 1], vec![None]),
    ] {
        std::fs::remove_dir_all(home.path("hf")).unwrap_or_default();
        std::fs::create_dir_all(home.cache("blobs")).expect("a folder");
        std::fs::write(&partial, begun).expect("a file");
        home.done(&hub, &[]);
        let gets = hub.take().into_iter().filter(|a| a.method == "GET" && a.target.contains(WEIGHTS));
        assert_eq!(gets.map(|asked| asked.headers.get("range").cloned()).collect::<Vec<_>>(), ranges);
    }
}

#[test]
fn a_file_whose_length_or_hash_differs_from_the_hub_is_refused() {
    let wrong = |change: fn(Reply) -> Reply, says: &[&str]| {
        let home = Home::new();
        let hub = Server::start(move |asked, _| {
            let reply = Repository::golden().answer(asked);
            if asked.target.contains(WEIGHTS) { change(reply) } else { reply }
        });
        home.refused(&hub.url, &[], 1, says);
        assert!(!home.cache("snapshots").join(COMMIT).join(WEIGHTS).exists());
        assert!(!home.cache("refs/main").exists());
        assert!(home.blobs().iter().all(|blob| blob.len() < 64 || blob.ends_with(".incomplete")));
    };
    let shorter = |mut reply: Reply| {
        reply.body.truncate(1000);
        reply
    };
    wrong(shorter, &["the hub lists model.safetensors with 423280 bytes but sends 1000"]);
    let other = |mut reply: Reply| {
        reply.body[100_000] ^= 1;
        reply
    };
    wrong(other, &["the SHA-256 of model.safetensors does not match", "deleted"]);
    let outside = |mut reply: Reply| {
        reply.headers.retain(|(name, _)| *name != "X-Linked-Etag");
        reply.headers.push(("X-Linked-Etag", "\"../../../escaped\"".into()));
        reply
    };
    wrong(outside, &["the hub sent no usable ETag for model.safetensors"]);
}

#[test]
fn a_silent_slow_or_missing_server_does_not_block_the_run() {
    let since = Instant::now();
    let says = ["check the network", "give a folder", "--offline"];
    let quick = |endpoint: &str, more: &str| {
        let home = Home::new();
        let mut command = home.command(endpoint, ID, &[]);
        refused(command.env("HF_HUB_DOWNLOAD_TIMEOUT", "0.3"), 1, &[&says[..], &[more]].concat());
    };
    let silent =
        Server::start(|_, _| Reply { status: 200, silent: Duration::from_secs(3), ..Reply::default() });
    quick(&silent.url, "sent no data for 0.3 s (HF_HUB_DOWNLOAD_TIMEOUT sets this timeout), 5 times");
    let slow = Server::start(|asked, _| {
        let trickle = Duration::from_millis(if asked.method == "GET" { 50 } else { 0 });
        Reply { trickle, ..Repository::golden().answer(asked) }
    });
    quick(&slow.url, " bytes in ");
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    // A server to which no connection can be established is tried only once.
    let asked = Instant::now();
    let home = Home::new();
    let mut command = home.command(&format!("http://{gone}"), ID, &[]);
    refused(&mut command, 1, &[&says[..], &["127.0.0.1 cannot be reached; check"]].concat());
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let broken = Server::start(|_, _| Reply { status: 502, ..Reply::default() });
    quick(&broken.url, "the server returned 502 Bad Gateway, 5 times");
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
}

#[test]
fn redirects_are_limited_and_never_leave_https() {
    let redirect = |to: &str| {
        let to = to.to_owned();
        Server::start(move |_, _| Reply {
            status: 307,
            headers: vec![("Location", to.clone())],
            ..Reply::default()
        })
    };
    Home::new().refused(&redirect("/api/again").url, &[], 1, &["more than 5 redirects"]);
    let clear = redirect("http://192.0.2.1/x");
    Home::new().refused(&clear.url, &[], 1, &["the server redirects to http://192.0.2.1"]);
    // The hub redirects requests for a renamed model to the new name. The redirected requests contain the
    // token.
    let renamed = Server::start(|asked, _| match asked.target.contains("/gpt2/") {
        false => Repository::golden()
            .answer(&Asked { target: asked.target.replace("/new/", "/gpt2/"), ..asked.clone() }),
        true => Reply {
            status: 307,
            headers: vec![("Location", asked.target.replace("/gpt2/", "/new/"))],
            ..Reply::default()
        },
    });
    Home::new().done(&renamed, &[]);
    assert!(renamed.take().iter().all(|asked| asked.headers.contains_key("authorization")));
    for (endpoint, says) in [
        ("http://192.0.2.1", "HF_ENDPOINT must begin with https://"),
        ("https://user:pass@127.0.0.1", "HF_ENDPOINT must not contain a user or a password"),
        ("nonsense", "HF_ENDPOINT is not a URL"),
    ] {
        Home::new().refused(endpoint, &[], 2, &[says]);
    }
    let home = Home::new();
    let mut odd = home.command("http://127.0.0.1:9", ID, &[]);
    refused(
        odd.env("HF_TOKEN", "hf_\u{e4}\nsecret"),
        2,
        &["HF_TOKEN (or the token file) contains characters"],
    );
}
