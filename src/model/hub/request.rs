//! One request to a hub. Redirects are followed by hand, so that the token stays with the host it is for;
//! every wait is bounded; and every failure is classified as passing or final.

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

/// Redirects before a request counts as going in circles.
const MOST_REDIRECTS: usize = 5;
/// After twice the timeout a server must have kept this rate, however steadily it trickles.
const SLOWEST_BYTES_PER_S: u64 = 10_000;
/// The longest that a server which asks to wait is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An answer, and whether it comes from the hub itself.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) at_home: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.response.headers(), name)
    }

    /// The length announced; of a HEAD as well, where the body's own is 0.
    pub(super) fn length_bytes(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Connection<'_> {
    /// One request, from a byte on. A HEAD ends where the hub passes on to its storage, which need not know
    /// what the file is.
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
                            "{host} is silent for {:.1} s (HF_HUB_DOWNLOAD_TIMEOUT)",
                            self.settings.idle.as_secs_f64()
                        )
                    }
                    (false, false) => format!("{host} broke off"),
                };
                if error.is_connect() && !timed_out {
                    return Fault::Unreachable { reason, source: Some(error.without_url().into()) };
                }
                // The URL of a storage holds a signature.
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
            let next = next.ok_or_else(|| self.fault(format!("the answer {status} leads nowhere")))?;
            let is_home = next.origin() == self.endpoint.origin();
            if *method == Method::HEAD && !is_home && header(response.headers(), "x-linked-etag").is_some() {
                return Ok(Answer { response, at_home });
            }
            if !is_safe(&next) {
                return Err(self
                    .fault(format!("a redirect leads to {} without https; refused", origin(&next)))
                    .into());
            }
            // Once away, always away: a host that was sent the request may not send the token back either.
            at_home = at_home && is_home;
            url = next;
        }
        Err(self.fault(format!("more than {MOST_REDIRECTS} redirects")).into())
    }

    /// The failure that a status other than success means.
    fn refusal(&self, response: &Response, at_home: bool) -> Fault {
        let (status, id) = (response.status(), &self.id.repository);
        let code = header(response.headers(), "x-error-code").unwrap_or_default();
        let wait = header(response.headers(), RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        let wait = wait.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_WAIT);
        if status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
        {
            return Fault::Passing {
                reason: format!("the answer is {status}"),
                source: None,
                gained_bytes: 0,
                wait,
            };
        }
        // An expired storage link is replaced by a fresh one on retry.
        if !at_home {
            return Fault::passing(format!("the hub's storage answers {status}"));
        }
        let token = if self.bearer.is_some() {
            "the token that was sent may not read it, or is not valid"
        } else {
            "no token was sent"
        };
        let get = "make a token at https://huggingface.co/settings/tokens and set HF_TOKEN to it";
        self.fault(match (status, code) {
            (StatusCode::FORBIDDEN, _) | (StatusCode::UNAUTHORIZED, "GatedRepo") => format!(
                "the model is gated, and {token}: open {}/{id} in a browser, accept its terms, {get}",
                self.settings.endpoint
            ),
            (StatusCode::NOT_FOUND, "RevisionNotFound") => {
                "the model has no such branch, tag or commit; look up its revisions on its page".into()
            }
            (StatusCode::UNAUTHORIZED, _) | (StatusCode::NOT_FOUND, "RepoNotFound") => format!(
                "there is no such model, or it is private or gated, and {token}: check the id (no folder of \
                 this name is here either); for a private model {get}"
            ),
            (StatusCode::NOT_FOUND, _) => "there is no such model or revision: check both (no folder of \
                                           this name is here either)"
                .into(),
            _ => format!("the answer is {status}, which is not understood"),
        })
        .into()
    }

    /// The first `n_bytes` of a file, or all of a shorter one.
    pub(super) fn head(&self, url: &Url, n_bytes: u64) -> std::result::Result<Vec<u8>, Fault> {
        let mut answer = self.send_range(&Method::GET, url, Some(&format!("bytes=0-{}", n_bytes - 1)))?;
        let mut head = vec![];
        // A server that knows no ranges sends everything, and is left after what was asked for.
        let read = (&mut answer.response).take(n_bytes).read_to_end(&mut head);
        read.map_err(|_| Fault::passing(format!("the body ends after {} bytes", head.len())))?;
        Ok(head)
    }

    /// Reads an answer's body: at most `most_bytes`, and not slower than any network that is worth waiting
    /// for.
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
                // reqwest says again in its own words, with the URL, what lies behind; only that is kept.
                Err(error) => {
                    let source = error
                        .get_ref()
                        .and_then(|inner| inner.source())
                        .map(|source| source.to_string().into());
                    return cut(format!("the body ends after {got_bytes} bytes"), source, got_bytes);
                }
            };
            got_bytes += n as u64;
            if got_bytes > most_bytes {
                return Err(self
                    .fault(format!("the body is longer than its {most_bytes} bytes; the server is faulty"))
                    .into());
            }
            take(&buffer[..n])?;
            let allowed = 2 * self.settings.idle + Duration::from_secs(got_bytes / SLOWEST_BYTES_PER_S);
            if since.elapsed() > allowed {
                return cut(
                    format!("only {got_bytes} bytes in {:.1} s", since.elapsed().as_secs_f64()),
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
