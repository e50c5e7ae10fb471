//! Sends one request to a hub. This module follows redirects itself, instead of the HTTP client, so that the
//! token is sent only to the host of the hub. Every request has a timeout, and every failure is classified as
//! transient or final.

use std::error::Error as _;
use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::blocking::Response;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, LOCATION, RANGE, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};

use super::connection::{Connection, is_safe};
use super::fault::Fault;
use super::settings::Cause;
use crate::error::Result;

/// Maximum number of redirects.
const MOST_REDIRECTS: usize = 5;
/// Minimum average transfer rate of a download. The rate is checked after twice the timeout.
const SLOWEST_BYTES_PER_S: u64 = 10_000;
/// Maximum wait that a server can request with Retry-After.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A response, and whether it is from the hub itself rather than from its storage server.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) at_home: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.response.headers(), name)
    }

    /// The length in the header `content-length`, which responses to HEAD requests also have.
    pub(super) fn length_bytes(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Connection<'_> {
    /// Sends one request for the bytes from `from_bytes` on. A HEAD request does not follow the redirect from
    /// the hub to its storage server, because the response of the hub already has the metadata of the file.
    pub(super) fn send(
        &self,
        method: &Method,
        url: &Url,
        from_bytes: u64,
    ) -> std::result::Result<Answer, Fault> {
        let range = (from_bytes > 0).then(|| format!("bytes={from_bytes}-"));
        self.send_range(method, url, range.as_deref())
    }

    fn send_range(
        &self,
        method: &Method,
        url: &Url,
        range: Option<&str>,
    ) -> std::result::Result<Answer, Fault> {
        let (mut url, mut at_home) = (url.clone(), true);
        for _ in 0..=MOST_REDIRECTS {
            let mut request =
                self.client.request(method.clone(), url.clone()).header(ACCEPT_ENCODING, "identity");
            if let Some(range) = range {
                request = request.header(RANGE, range);
            }
            if let (true, Some(bearer)) = (at_home, &self.bearer) {
                request = request.header(AUTHORIZATION, bearer.clone());
            }
            let response = request.send().map_err(|error| {
                let timed_out = error.is_timeout()
                    || error.source().is_some_and(|source| source.to_string().contains("timed out"));
                let host = url.host_str().unwrap_or_default();
                let reason = match (error.is_connect(), timed_out) {
                    (true, _) => format!("{host} cannot be reached"),
                    (false, true) => {
                        format!(
                            "{host} sent no data for {:.1} s (HF_HUB_DOWNLOAD_TIMEOUT sets this timeout)",
                            self.settings.idle.as_secs_f64()
                        )
                    }
                    (false, false) => format!("{host} closed the connection"),
                };
                if error.is_connect() && !timed_out {
                    return Fault::Unreachable { reason, source: Some(error.without_url().into()) };
                }
                // Errors must not contain the URL, because URLs of the storage server contain a signature.
                Fault::Passing {
                    reason,
                    source: Some(error.without_url().into()),
                    gained_bytes: 0,
                    wait: Duration::ZERO,
                }
            })?;
            let status = response.status();
            if status.is_success() {
                return Ok(Answer { response, at_home });
            }
            if !status.is_redirection() {
                return Err(self.refusal(&response, at_home));
            }
            let next =
                header(response.headers(), LOCATION.as_str()).and_then(|location| url.join(location).ok());
            let next = next.ok_or_else(|| {
                self.fault(format!("the server returned {status} without a valid Location header"))
            })?;
            let is_home = next.origin() == self.endpoint.origin();
            if *method == Method::HEAD && !is_home && header(response.headers(), "x-linked-etag").is_some() {
                return Ok(Answer { response, at_home });
            }
            if !is_safe(&next) {
                return Err(self
                    .fault(format!(
                        "the server redirects to {}, which does not use https; check HF_ENDPOINT",
                        origin(&next)
                    ))
                    .into());
            }
            // After a redirect to another host, the token is never sent again, even if that host redirects
            // back to the hub.
            at_home = at_home && is_home;
            url = next;
        }
        Err(self
            .fault(format!("the server sent more than {MOST_REDIRECTS} redirects; check HF_ENDPOINT"))
            .into())
    }

    /// The failure for a status that is neither a success nor a redirect.
    fn refusal(&self, response: &Response, at_home: bool) -> Fault {
        let (status, id) = (response.status(), &self.id.repository);
        let code = header(response.headers(), "x-error-code").unwrap_or_default();
        let wait = header(response.headers(), RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        let wait = wait.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_WAIT);
        if status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
        {
            return Fault::Passing {
                reason: format!("the server returned {status}"),
                source: None,
                gained_bytes: 0,
                wait,
            };
        }
        // The link to the storage server may have expired; a retry gets a new link.
        if !at_home {
            return Fault::passing(format!("the hub's storage server returned {status}"));
        }
        let token = if self.bearer.is_some() {
            "the token is invalid or has no access to the model"
        } else {
            "no token was sent"
        };
        let get = "create a token at https://huggingface.co/settings/tokens and set HF_TOKEN to it";
        self.fault(match (status, code) {
            (StatusCode::FORBIDDEN, _) | (StatusCode::UNAUTHORIZED, "GatedRepo") => format!(
                "the model is gated, and {token}: open {}/{id} in a browser, accept its terms, {get}",
                self.settings.endpoint
            ),
            (StatusCode::NOT_FOUND, "RevisionNotFound") => {
                "the model has no such branch, tag or commit; see the list of revisions on the model's \
                 page"
                    .into()
            }
            (StatusCode::UNAUTHORIZED, _) | (StatusCode::NOT_FOUND, "RepoNotFound") => format!(
                "there is no such model, or it is private or gated, and {token}: check the id (there is no \
                 folder of this name either); for a private model {get}"
            ),
            (StatusCode::NOT_FOUND, _) => "there is no such model or revision: check both (there is no \
                                           folder of this name either)"
                .into(),
            _ => format!("the server returned an unexpected status: {status}"),
        })
        .into()
    }

    /// The first `n_bytes` bytes of a file, or the whole file if it is shorter.
    pub(super) fn head(&self, url: &Url, n_bytes: u64) -> std::result::Result<Vec<u8>, Fault> {
        let mut answer = self.send_range(&Method::GET, url, Some(&format!("bytes=0-{}", n_bytes - 1)))?;
        let mut head = vec![];
        // A server that does not support ranges sends the whole file, so reading stops after `n_bytes`.
        let read = (&mut answer.response).take(n_bytes).read_to_end(&mut head);
        read.map_err(|_| Fault::passing(format!("the response ended early, after {} bytes", head.len())))?;
        Ok(head)
    }

    /// Reads the body of a response and passes it to `take` in chunks. Fails if the body has more than
    /// `most_bytes` bytes, or if the transfer is slower than the minimum rate.
    pub(super) fn read(
        &self,
        response: &mut Response,
        most_bytes: u64,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> std::result::Result<(), Fault> {
        let (since, mut got_bytes, mut buffer) = (Instant::now(), 0, vec![0; 1 << 16]);
        let cut = |reason: String, source: Option<Cause>, gained_bytes| {
            Err(Fault::Passing { reason, source, gained_bytes, wait: Duration::ZERO })
        };
        loop {
            let n = match response.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // The message of reqwest contains the URL, so only the cause is kept.
                Err(error) => {
                    let source = error
                        .get_ref()
                        .and_then(|inner| inner.source())
                        .map(|source| source.to_string().into());
                    return cut(
                        format!("the response ended early, after {got_bytes} bytes"),
                        source,
                        got_bytes,
                    );
                }
            };
            got_bytes += n as u64;
            if got_bytes > most_bytes {
                return Err(self
                    .fault(format!(
                        "the response has more than {most_bytes} bytes, the announced or largest possible \
                         length: the server is faulty"
                    ))
                    .into());
            }
            take(&buffer[..n])?;
            let allowed = 2 * self.settings.idle + Duration::from_secs(got_bytes / SLOWEST_BYTES_PER_S);
            if since.elapsed() > allowed {
                return cut(
                    format!("received only {got_bytes} bytes in {:.1} s", since.elapsed().as_secs_f64()),
                    None,
                    got_bytes,
                );
            }
        }
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
