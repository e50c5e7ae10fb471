//! Tests the server of a results page, with connections that are half open or whose clients read nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn the_page_is_served_and_the_server_ends_despite_half_open_connections() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.arg("view").arg(folder).args(["--port", "0", "-q"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a URL");
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let connect = || TcpStream::connect(&address).expect("a connection");
    let page = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut held = vec![];
    for at in 0..700 {
        let mut stream = connect();
        // Some clients request the page and read nothing.
        let sent = if at % 10 == 0 { page.as_bytes() } else { &page.as_bytes()[..20] };
        stream.write_all(sent).expect("a request");
        held.push(stream);
    }
    let mut good = connect();
    good.write_all(page.as_bytes()).expect("a request");
    let mut answer = String::new();
    good.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("</html>"), "{answer:.300}");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}
