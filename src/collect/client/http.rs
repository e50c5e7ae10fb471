//! The only HTTP of collecting: one POST, sent once, and what came back as bytes; or, where nothing whole
//! came back, whether the request can have been billed.
//!
//! No redirect is followed (key headers would go with it), nothing is retried here, every wait is bounded,
//! and no body is read beyond a limit. Errors never name the URL's query.

use std::error::Error as _;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Url};

use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::provider::{Headers, KeyHeader, WireRequest};

/// Longest answer, decoded.
pub const MOST_BODY_BYTES: usize = 16 << 20;
/// Of an answer that is longer, so much is kept for people to look at.
const SAMPLE_BYTES: usize = 64 << 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Many servers close a connection that was idle for 5 s; a request that meets this would be of unknown fate.
const IDLE: Duration = Duration::from_secs(3);
/// Headers that say something about an answer, or begin like one that does. The rest is not kept.
const KEPT: [&str; 11] = [
    "x-request-id",
    "request-id",
    "retry-after",
    "x-should-retry",
    "x-ratelimit-",
    "anthropic-ratelimit-",
    "openai-",
    "date",
    "content-type",
    "content-encoding",
    "location",
];

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
}

impl Endpoint {
    /// Checks a base URL: a host, encrypted unless it is this machine, and nothing secret in it.
    ///
    /// # Errors
    /// [`Error::Parameter`]
    pub fn new(base_url: &str) -> Result<Self> {
        let fault = |reason: &str| Err(Error::Parameter { name: "--base-url", reason: reason.into() });
        let Ok(base) = Url::parse(base_url) else { return fault("is no URL; write https://HOST/PATH") };
        if !matches!(base.scheme(), "https" | "http") || base.host_str().is_none() {
            return fault("must begin with https:// and name a host");
        }
        if !base.username().is_empty() || base.password().is_some() || base.fragment().is_some() {
            return fault("must hold no user, password or fragment; keys come from the environment");
        }
        let secret = ["key", "token", "secret", "sig", "auth", "pass"];
        let names_secret = |name: &str| secret.iter().any(|word| name.to_lowercase().contains(word));
        if base.query_pairs().any(|(name, _)| names_secret(&name)) {
            return fault(
                "holds a key in its query, where logs and proxies see it; take it out and set the \
                 environment variable of the provider",
            );
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return fault("must begin with https://; only a server on this machine may be asked without");
        }
        Ok(Self { base })
    }

    /// The URL of a path behind the base URL; a query of the base URL stays at the end.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let joined = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&joined);
        let queries: Vec<_> =
            [self.base.query().unwrap_or_default(), query].into_iter().filter(|q| !q.is_empty()).collect();
        url.set_query((!queries.is_empty()).then(|| queries.join("&")).as_deref());
        url
    }

    /// Scheme, host and path: what an answer depends on.
    pub fn identity(&self, path: &str) -> String {
        let mut url = self.url(path);
        url.set_query(None);
        url.into()
    }

    /// The base URL without its query, for people and records.
    pub fn name(&self) -> String {
        let mut url = self.base.clone();
        url.set_query(None);
        String::from(url).trim_end_matches('/').to_owned()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// Those headers that say something.
    pub headers: Headers,
    /// The body, decoded, as far as it came.
    pub body: Vec<u8>,
    /// Why it is not whole.
    pub lost: Option<TransportError>,
}

impl Reply {
    /// What stands for a request that was never made.
    pub fn not_sent(why: &str) -> Self {
        Self {
            lost: Some(TransportError { fate: DeliveryStatus::NotSent, message: why.into() }),
            ..Self::default()
        }
    }
}

/// Why no whole answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// What it means.
    pub fate: DeliveryStatus,
    /// In words, without secrets.
    pub message: String,
}

/// What can have become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It never left.
    NotSent,
    /// It never left, and will not: the connection cannot be secured.
    Insecure,
    /// It left. It may have been answered, and billed.
    Unknown,
    /// It was answered, with more than can be read.
    TooLarge,
}

/// Sends requests to one endpoint.
#[derive(Debug)]
pub struct Client {
    client: reqwest::Client,
    endpoint: Endpoint,
    key: (&'static str, HeaderValue),
}

impl Client {
    /// `timeout` bounds a request from its first byte to the last of its answer.
    ///
    /// # Errors
    /// [`Error::Endpoint`], [`Error::Account`], [`Error::Read`] of the certificates.
    pub fn new(
        endpoint: Endpoint,
        key: (KeyHeader, &Secrets),
        concurrency: usize,
        timeout: Duration,
        ca_cert: Option<&Path>,
    ) -> Result<Self> {
        let name = endpoint.name();
        let key = key.1.header(key.0, &name)?;
        // Whoever came first has chosen how TLS is computed; that is as good.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let certificates = ca_cert.map(read_certificates).transpose()?.unwrap_or_default();
        let here = is_loopback(&endpoint.base);
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("surmise/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                // Below the whole, so that a request whose connection never stood is known not to have been
                // sent.
                .connect_timeout(CONNECT.min(timeout / 2))
                .timeout(timeout)
                .https_only(endpoint.base.scheme() == "https")
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(concurrency)
                .tcp_keepalive(Duration::from_secs(30))
                .tls_certs_merge(certificates.clone());
            // A proxy cannot reach a server on this machine, and would see the key in the clear.
            if here { builder.no_proxy() } else { builder }
        };
        let client = match builder().build() {
            // A machine without certificates can still ask itself.
            Err(_) if here => builder().tls_certs_only(certificates.clone()).build(),
            client => client,
        };
        let client = client.map_err(|source| Error::Endpoint {
            endpoint: name,
            reason: "no connection can be set up; see that the system's certificates are installed \
                     (ca-certificates), or name a file with --ca-cert"
                .into(),
            source: Some(source.without_url().into()),
        })?;
        Ok(Self { client, endpoint, key })
    }

    /// Sends one request once.
    pub async fn send(&self, wire: &WireRequest) -> Reply {
        let mut request = self
            .client
            .post(self.endpoint.url(&wire.path))
            .header(CONTENT_TYPE, "application/json")
            .header(self.key.0, self.key.1.clone());
        for (name, value) in &wire.headers {
            request = request.header(*name, value);
        }
        let mut reply = Reply::default();
        match request.body(wire.body.clone()).send().await {
            Err(error) => reply.lost = Some(lost(error)),
            Ok(mut response) => {
                reply.status = Some(response.status().as_u16());
                reply.headers = kept(response.headers());
                loop {
                    match response.chunk().await {
                        Ok(None) => break,
                        Ok(Some(chunk)) if reply.body.len() + chunk.len() > MOST_BODY_BYTES => {
                            let message = format!("the answer is larger than {} MiB", MOST_BODY_BYTES >> 20);
                            reply.lost = Some(TransportError { fate: DeliveryStatus::TooLarge, message });
                            reply.body.truncate(SAMPLE_BYTES);
                            reply.body.shrink_to_fit();
                            break;
                        }
                        Ok(Some(chunk)) => reply.body.extend_from_slice(&chunk),
                        Err(error) => {
                            // The head came, so the request arrived, whatever the error says of itself.
                            reply.lost =
                                Some(TransportError { fate: DeliveryStatus::Unknown, ..lost(error) });
                            break;
                        }
                    }
                }
            }
        }
        reply
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    match Certificate::from_pem_bundle(&bytes) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::Parameter {
            name: "--ca-cert",
            reason: format!("{} holds no certificate in PEM form", path.display()),
        }),
    }
}

fn kept(headers: &reqwest::header::HeaderMap) -> Headers {
    let says = |name: &HeaderName| KEPT.iter().any(|kept| name.as_str().starts_with(kept));
    let pairs = headers.iter().filter(|(name, _)| says(name));
    Headers::new(
        pairs.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())),
    )
}

/// Sorts an error of sending by what can have become of the request.
fn lost(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let fate = if !error.is_connect() {
        DeliveryStatus::Unknown
    } else if is_about_certificates(&error) {
        DeliveryStatus::Insecure
    } else {
        DeliveryStatus::NotSent
    };
    // The outermost says "error sending request" only; the innermost names the cause.
    let mut message = if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() };
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = source.source();
    }
    TransportError { fate, message }
}

/// Whether TLS itself failed, and not the line beneath it.
fn is_about_certificates(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.is::<rustls::Error>() {
            return true;
        }
        // An I/O error keeps what it carries out of the chain.
        let carried = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = carried.map(|carried| carried as _).or_else(|| source.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_encrypted_or_local_and_holds_nothing_secret() {
        for (url, says) in [
            ("api.example.org", "no URL"),
            ("ftp://example.org", "https://"),
            ("http://example.org/v1", "only a server on this machine"),
            ("http://127.0.0.1.example.org", "only a server on this machine"),
            ("https://me:secret@example.org", "no user, password"),
            ("https://example.org/v1?key=abc", "holds a key in its query"),
            ("https://example.org/v1?api-version=1&Api_Key=abc", "holds a key in its query"),
            ("https://example.org/v1#x", "fragment"),
        ] {
            let error = Endpoint::new(url).unwrap_err().to_string();
            assert!(error.contains(says), "{url}: {error}");
            assert!(!error.contains("abc") && !error.contains("me:secret"), "{error}");
        }
        for url in
            ["http://127.0.0.1:8000/v1", "http://localhost:1", "http://[::1]:80/", "https://example.org"]
        {
            Endpoint::new(url).unwrap();
        }
    }

    #[test]
    fn paths_go_behind_the_base_and_before_its_query() {
        let endpoint =
            Endpoint::new("https://h.example/openai/deployments/d/?api-version=2024-06-01").unwrap();
        assert_eq!(
            endpoint.url("/chat/completions").as_str(),
            "https://h.example/openai/deployments/d/chat/completions?api-version=2024-06-01"
        );
        assert_eq!(
            endpoint.identity("/chat/completions"),
            "https://h.example/openai/deployments/d/chat/completions"
        );
        assert_eq!(endpoint.name(), "https://h.example/openai/deployments/d");
        let gemini = Endpoint::new("https://h.example").unwrap();
        assert_eq!(
            gemini.identity("/v1beta/models/g:generateContent"),
            "https://h.example/v1beta/models/g:generateContent"
        );
    }
}
