//! The HTTP client: sends one POST once and returns the response as bytes, or, where no whole response
//! arrived, whether the request can have been billed.
//!
//! No redirect is followed (key headers would go with it), nothing is retried here, every wait is bounded,
//! and no body is read beyond a limit. Errors never name the URL's query.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;

use super::endpoint::Endpoint;
use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::provider::{self, Headers, KeyHeader, WireRequest};

/// Longest response body, decoded.
pub const MOST_BODY_BYTES: usize = 16 << 20;
/// Bytes that are kept of a longer one, for inspection.
const SAMPLE_BYTES: usize = 64 << 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Many servers close a connection that was idle for 5 s; a request that meets this would have an unknown
/// delivery status.
const IDLE: Duration = Duration::from_secs(3);
/// Response headers that are kept, beside those that a provider declares, or prefixes of them.
const KEPT: [&str; 8] = [
    "x-request-id",
    "request-id",
    "retry-after",
    "x-should-retry",
    "date",
    "content-type",
    "content-encoding",
    "location",
];

/// A response, as far as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The headers that are kept.
    pub headers: Headers,
    /// The body, decoded, as far as it arrived.
    pub body: Vec<u8>,
    /// Why it is not complete.
    pub transport_error: Option<TransportError>,
}

impl Reply {
    /// The reply to a request that was never sent.
    pub fn not_sent(why: &str) -> Self {
        Self {
            transport_error: Some(TransportError { delivery: DeliveryStatus::NotSent, message: why.into() }),
            ..Self::default()
        }
    }
}

/// Why no complete response arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Whether the request reached the server.
    pub delivery: DeliveryStatus,
    /// In words, without secrets.
    pub message: String,
}

/// Whether a request reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It was not sent.
    NotSent,
    /// It was not sent and cannot be: the connection cannot be secured.
    Insecure,
    /// It was sent. It may have been answered, and billed.
    Unknown,
    /// It was answered, with a body that is too large.
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
        let here = endpoint.is_local();
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
                .https_only(endpoint.is_encrypted())
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
            Err(error) => reply.transport_error = Some(transport_error(error)),
            Ok(mut response) => {
                reply.status = Some(response.status().as_u16());
                reply.headers = kept(response.headers());
                loop {
                    match response.chunk().await {
                        Ok(None) => break,
                        Ok(Some(chunk)) if reply.body.len() + chunk.len() > MOST_BODY_BYTES => {
                            let message = format!("the answer is larger than {} MiB", MOST_BODY_BYTES >> 20);
                            reply.transport_error =
                                Some(TransportError { delivery: DeliveryStatus::TooLarge, message });
                            reply.body.truncate(SAMPLE_BYTES);
                            reply.body.shrink_to_fit();
                            break;
                        }
                        Ok(Some(chunk)) => reply.body.extend_from_slice(&chunk),
                        Err(error) => {
                            // The head came, so the request arrived, whatever the error says of itself.
                            reply.transport_error = Some(TransportError {
                                delivery: DeliveryStatus::Unknown,
                                ..transport_error(error)
                            });
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
    let prefixes: Vec<&str> = KEPT.into_iter().chain(provider::kept_headers()).collect();
    let is_kept = |name: &HeaderName| prefixes.iter().any(|prefix| name.as_str().starts_with(prefix));
    let pairs = headers.iter().filter(|(name, _)| is_kept(name));
    Headers::new(
        pairs.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())),
    )
}

/// Classifies an error by whether the request reached the server.
fn transport_error(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let delivery = if !error.is_connect() {
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
    TransportError { delivery, message }
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
