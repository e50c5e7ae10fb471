//! Starts the server and runs it until a signal stops it.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::http;
use crate::error::{Error, Result};
use crate::machine;
use crate::report::html;
use crate::serve::{listen, stop_signal};

/// How long a stopped server waits for running responses.
const GRACE: Duration = Duration::from_secs(1);

/// Serves the page of a results folder on the loopback address until the process receives an interrupt or
/// termination signal. Port 0 selects a free port. Calls `ready` with the URL once requests are accepted.
///
/// # Errors
/// [`Error::Read`], [`Error::Parameter`] for a folder without results; [`Error::Serve`] if the server cannot
/// listen on the port.
pub fn view(folder: &Path, port: u16, ready: impl FnOnce(&str)) -> Result<()> {
    run(folder, port, ready, stop_signal)
}

/// Serves until `stop` resolves.
fn run<F: Future<Output = ()> + Send + 'static>(
    folder: &Path,
    port: u16,
    ready: impl FnOnce(&str),
    stop: impl Fn() -> F + Send + 'static,
) -> Result<()> {
    // Report a folder without results now, as an error of the command.
    html::version(folder)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let fault = |source: std::io::Error| Error::Serve { address: address.to_string(), source };
    let runtime = machine::runtime(Some(1)).map_err(fault)?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.map_err(fault)?;
        let port = listener.local_addr().map_err(fault)?.port();
        ready(&format!("http://127.0.0.1:{port}/"));
        listen(listener, http::router(folder, port), GRACE, stop).await.map_err(fault)
    });
    // Do not wait for a page that is still being rendered.
    runtime.shutdown_background();
    served
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    #[test]
    fn the_page_follows_the_folder_and_other_hosts_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("predictions.csv");
        std::fs::write(&file, "target_model,y_hat\nfirst,1\n").expect("a file");
        let (sender, receiver) = std::sync::mpsc::channel();
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let path = folder.path().to_path_buf();
        let server = std::thread::spawn(move || {
            let ready = |url: &str| sender.send(url.to_owned()).expect("a receiver");
            run(&path, 0, ready, move || stopped.clone().notified_owned())
        });
        let url = receiver.recv().expect("a URL");
        let port: u16 =
            url.trim_end_matches('/').rsplit(':').next().expect("a port").parse().expect("a port");
        let get = |path: &str, host: &str| {
            ask(port, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
        };
        let own = format!("127.0.0.1:{port}");
        let page = get("/", &own);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("data-live=\""), "{page:.300}");
        assert!(page.contains("first"));
        let version = || get("/version", &own).lines().last().map(str::to_owned);
        let before = version();
        assert_eq!(before, version());
        std::fs::write(&file, "target_model,y_hat\nsecond-one,2\n").expect("a file");
        assert_ne!(before, version());
        let data = get("/data", &format!("localhost:{port}"));
        assert!(data.contains("second-one") && !data.contains("first"), "{data}");
        for host in ["example.org", &format!("example.org:{port}"), "127.0.0.1:1", ""] {
            let refused = get("/data", host);
            assert!(refused.starts_with("HTTP/1.1 403") && !refused.contains("second"), "{host}: {refused}");
        }
        assert!(get("/../etc/passwd", &own).starts_with("HTTP/1.1 404"));
        let post =
            format!("POST / HTTP/1.1\r\nHost: {own}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert!(ask(port, &post).starts_with("HTTP/1.1 405"));
        stop.notify_one();
        server.join().expect("no panic").expect("no error");
    }
}
