//! The HTTP client: sends one POST once and returns the response as bytes, or, where no whole response
//! arrived, whether the request can have been billed.
//!
//! No redirect is followed (key headers would go with it), nothing is retried here, every wait is bounded,
//! and no body is read beyond a limit. Errors never name the URL's query.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;

use super::endpoint::Endpoint;
use super::in_process::InProcess;
use crate::collect::secrets::Secrets;
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::{self, Headers, KeyHeader, WireRequest};

/// Maximum size of a decoded response body.
pub const MOST_BODY_BYTES: usize = 16 << 20;
/// Bytes that are kept of a larger one, for inspection.
const SAMPLE_BYTES: usize = 64 << 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Many servers close a connection that was idle for 5 s; a request that meets this would have an unknown
/// delivery status.
const IDLE: Duration = Duration::from_secs(3);
/// Response headers of HTTP itself that are kept, beside those that a provider declares, or prefixes of them.
const KEPT: [&str; 5] = ["retry-after", "date", "content-type", "content-encoding", "location"];

/// A response, as far as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The headers that are kept.
    pub headers: Headers,
    /// The body, decoded, as far as it arrived.
    pub body: Vec<u8>,
    /// Why it is incomplete, if it is.
    pub transport_error: Option<TransportError>,
}

impl Reply {
    /// The missing reply to a request that takes too long beside all others.
    pub(super) fn overdue(limit: Duration) -> Self {
        let message = format!(
            "no answer after {:.1} s: four times as long as the slowest answer so far, and longer than the \
             longest answer takes",
            limit.as_secs_f64()
        );
        Self {
            transport_error: Some(TransportError { delivery: DeliveryStatus::Unknown, message }),
            ..Self::default()
        }
    }

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
    /// The error message, without secrets.
    pub message: String,
}

/// Whether a request reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It was not sent.
    NotSent,
    /// It was not sent, because no secure connection can be made.
    Insecure,
    /// It was sent, and may have been answered and billed.
    Unknown,
    /// It was answered with a body that is too large.
    TooLarge,
}

/// Sends requests to one endpoint.
pub struct Client {
    transport: Transport,
    endpoint: Endpoint,
    key: (&'static str, HeaderValue),
}

/// What carries a request.
enum Transport {
    Network(reqwest::Client),
    InProcess(Arc<dyn InProcess>),
}

impl Client {
    /// `timeout` limits the time from the first byte of a request to the last byte of its answer.
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
        // Fails only if a provider is installed already, which can be used as well.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let certificates = ca_cert.map(read_certificates).transpose()?.unwrap_or_default();
        let is_local = endpoint.is_local();
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("surmise/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                // Shorter than the timeout, so that a request without a connection is known not to have been
                // sent.
                .connect_timeout(CONNECT.min(timeout / 2))
                .timeout(timeout)
                .https_only(endpoint.is_encrypted())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(concurrency)
                .tcp_keepalive(Duration::from_secs(30))
                .tls_certs_merge(certificates.clone());
            // A proxy cannot reach a server on this machine, and would see the key unencrypted.
            if is_local { builder.no_proxy() } else { builder }
        };
        let client = match builder().build() {
            // A server on this machine can be reached without system certificates.
            Err(_) if is_local => builder().tls_certs_only(certificates.clone()).build(),
            client => client,
        };
        let client = client.map_err(|source| Error::Endpoint {
            endpoint: name,
            reason: "the HTTP client cannot be set up; install the system's certificates (ca-certificates), \
                     or name a file with --ca-cert"
                .into(),
            source: Some(source.without_url().into()),
        })?;
        Ok(Self { transport: Transport::Network(client), endpoint, key })
    }

    /// A client of a server in this process. The endpoint names it in records; nothing is sent there.
    ///
    /// # Errors
    /// [`Error::Account`] for a key that is no header.
    pub fn in_process(
        endpoint: Endpoint,
        key: (KeyHeader, &Secrets),
        server: Arc<dyn InProcess>,
    ) -> Result<Self> {
        let key = key.1.header(key.0, &endpoint.name())?;
        Ok(Self { transport: Transport::InProcess(server), endpoint, key })
    }

    /// Whether the server runs on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.endpoint.is_local()
    }

    /// Sends one request once.
    pub async fn send(&self, wire: &WireRequest) -> Reply {
        let client = match &self.transport {
            Transport::Network(client) => client,
            Transport::InProcess(server) => {
                let path = self.endpoint.url(&wire.path).path().to_owned();
                let (status, body) = server.post(path, wire.body.clone()).await;
                return Reply { status: Some(status), body, ..Reply::default() };
            }
        };
        let mut request = client
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
                            // The headers arrived, so the request did, whatever the kind of the error.
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
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    match Certificate::from_pem_bundle(&bytes) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::Parameter {
            name: "--ca-cert",
            reason: format!("{} contains no certificate in PEM format", path.display()),
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
    } else if is_tls_error(&error) {
        DeliveryStatus::Insecure
    } else {
        DeliveryStatus::NotSent
    };
    // The outermost error is only "error sending request"; the innermost names the cause.
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

/// Whether TLS itself failed, not the connection below it.
fn is_tls_error(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.is::<rustls::Error>() {
            return true;
        }
        // The error inside an I/O error is not part of the chain.
        let inner = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inner.map(|inner| inner as _).or_else(|| source.source());
    }
    false
}
