//! Refuses requests that a web page of another origin sends through the user's browser. Accepts requests of
//! programs.

use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Request, header};
use axum::response::Response;

use super::answered::refuse;
use super::request::ApiError;

/// Returns the error response if an attacker could redirect the requested host name to this machine (DNS
/// rebinding), or if a page of another origin may have sent the request. Otherwise returns `None`.
pub(super) fn refusal(request: &Request<Body>, is_loopback: bool) -> Option<Response> {
    let headers = request.headers();
    let reason = if is_loopback && !names_this_machine(headers) {
        "this server accepts only the host names 127.0.0.1, [::1] and localhost; to accept other names, \
         start it with `surmise serve --host ADDRESS`, where ADDRESS is not a loopback address"
    } else if request.method() == Method::POST && is_of_another_page(headers) {
        "the request comes from a page of another origin; send it as application/json from a program"
    } else {
        return None;
    };
    Some(refuse(&ApiError { status: 403, ..ApiError::invalid("", reason) }))
}

/// Whether the requested host, ignoring the port, is this machine. A request without a host does not come
/// from a browser.
fn names_this_machine(headers: &HeaderMap) -> bool {
    headers.get_all(header::HOST).iter().all(|host| {
        let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        // Text before `@` is a user name, which browsers do not send in this header.
        host.is_some_and(|host| !host.as_str().contains('@') && is_this_machine(host.host()))
    })
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a page of another origin may have sent this request without a preflight: browsers send requests
/// with the content type of an HTML form without asking the server first.
fn is_of_another_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(origin) = headers.get(header::ORIGIN) else { return text("sec-fetch-site") == "cross-site" };
    let own = text(header::HOST.as_str());
    let is_own = origin.to_str().is_ok_and(|origin| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        !own.is_empty() && host.eq_ignore_ascii_case(own)
    });
    let is_json = text(header::CONTENT_TYPE.as_str()).to_ascii_lowercase().starts_with("application/json");
    !is_own && !is_json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(host: &str, headers: &[(&str, &str)], is_loopback: bool) -> bool {
        let mut request = Request::builder().method(Method::POST).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refusal(&request.body(Body::empty()).expect("a request"), is_loopback).is_some()
    }

    #[test]
    fn a_loopback_server_answers_to_loopback_names() {
        for host in ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "127.8.8.8"] {
            assert!(!is_refused(host, &[], true), "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org",
            "192.168.0.7:8000",
            "",
            "x",
            "127.0.0.1.nip.io",
            "example.org@localhost",
            "localhost@example.org",
        ] {
            assert!(is_refused(host, &[], true), "{host}");
            assert!(host.is_empty() || !is_refused(host, &[], false), "{host}");
        }
    }

    #[test]
    fn what_a_page_of_another_origin_can_send_unasked_is_refused() {
        let post = |headers: &[(&str, &str)]| is_refused("localhost:8000", headers, true);
        assert!(!post(&[("content-type", "text/plain")]), "curl");
        assert!(!post(&[("origin", "http://localhost:8000"), ("content-type", "text/plain")]));
        assert!(!post(&[("origin", "http://a.org"), ("content-type", "application/json")]), "it asks first");
        assert!(post(&[("origin", "http://a.org"), ("content-type", "text/plain")]));
        assert!(post(&[("origin", "null"), ("content-type", "application/x-www-form-urlencoded")]));
        assert!(post(&[("origin", "http://a.org")]));
        assert!(post(&[("sec-fetch-site", "cross-site")]));
    }
}
