//! Sends each HTTP request once, and returns the response as bytes. If no complete response arrives, the
//! result states whether the request may have been billed.
//!
//! The client does not follow redirects, because another server would receive the key. It does not retry;
//! every wait and the size of every body are bounded. Errors never contain the query of the URL.

use std::error::Error as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder};

use super::endpoint::Endpoint;
use super::in_process::InProcess;
use crate::collect::secrets::Secrets;
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::batch::BatchCall;
use crate::provider::{self, Headers, KeyHeader, WireRequest};

/// Maximum size of a decoded response body.
pub const MOST_BODY_BYTES: usize = 16 << 20;
/// Number of bytes that are kept from the beginning of a body that is too large, for inspection.
const SAMPLE_BYTES: usize = 64 << 10;
/// Maximum size of the response to a call of a batch API. Some responses contain all results.
const MOST_CALL_BYTES: usize = 256 << 20;
/// Maximum size of a file of results of a batch.
const MOST_FILE_BYTES: usize = 4 << 30;
/// Assumed minimum speed of the upload of a batch, in bytes per second.
const SLOWEST: usize = 64 << 10;
/// Maximum time for the download of the results of a batch.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(6 * 3600);
const CONNECT: Duration = Duration::from_secs(10);
/// Time after which an idle connection is closed. Many servers close a connection after 5 s; a request that
/// is sent at that moment would have an unknown delivery status.
const IDLE: Duration = Duration::from_secs(3);
/// Standard HTTP response headers that are kept, or prefixes of their names. Headers that a provider declares
/// are also kept.
const KEPT: [&str; 5] = ["retry-after", "date", "content-type", "content-encoding", "location"];

/// A response, which may be incomplete.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The headers that are kept.
    pub headers: Headers,
    /// The decoded body, or the part of it that arrived.
    pub body: Vec<u8>,
    /// Why the response is incomplete; `None` if it is complete.
    pub transport_error: Option<TransportError>,
}

impl Reply {
    /// The reply for a request whose answer takes too long compared with earlier answers.
    pub(super) fn overdue(limit: Duration) -> Self {
        let message = format!(
            "no answer after {:.1} s, which exceeds four times the duration of the slowest answer so far and \
             the time for an answer of the maximum length",
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
    /// The request was not sent.
    NotSent,
    /// The request was not sent, because no secure connection can be made.
    Insecure,
    /// The request was sent, and may have been answered and billed.
    Unknown,
    /// The request was answered with a body that is too large.
    TooLarge,
}

/// Sends requests to one endpoint.
pub struct Client {
    transport: Transport,
    endpoint: Endpoint,
    key: (&'static str, HeaderValue),
    timeout: Duration,
}

/// How requests are delivered.
enum Transport {
    Network(reqwest::Client),
    InProcess(Arc<dyn InProcess>),
}

impl Client {
    /// A client for a server on the network. `timeout` limits the time from the first byte of a request to
    /// the last byte of its answer.
    ///
    /// # Errors
    /// [`Error::Endpoint`] if the HTTP client cannot be set up; [`Error::Account`] for a key that is not a
    /// valid header value; [`Error::Read`] or [`Error::Parameter`] if the certificates cannot be read.
    pub fn new(
        endpoint: Endpoint,
        key: (KeyHeader, &Secrets),
        concurrency: usize,
        timeout: Duration,
        ca_cert: Option<&Path>,
    ) -> Result<Self> {
        let name = endpoint.name();
        let key = key.1.header(key.0, &name)?;
        // If a cryptography provider is already installed, this call fails, and the installed provider is
        // used.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let certificates = ca_cert.map(read_certificates).transpose()?.unwrap_or_default();
        let is_local = endpoint.is_local();
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("surmise/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                // The connect timeout is shorter than the total timeout, so that a request without a
                // connection is known not to have been sent.
                .connect_timeout(CONNECT.min(timeout / 2))
                .timeout(timeout)
                .https_only(endpoint.is_encrypted())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(concurrency)
                .tcp_keepalive(Duration::from_secs(30))
                .tls_certs_merge(certificates.clone());
            // A proxy cannot reach a server on this machine, and could read the unencrypted key.
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
        Ok(Self { transport: Transport::Network(client), endpoint, key, timeout })
    }

    /// A client for a server in this process. The endpoint only names the server in records.
    ///
    /// # Errors
    /// [`Error::Account`] for a key that is not a valid header value.
    pub fn in_process(
        endpoint: Endpoint,
        key: (KeyHeader, &Secrets),
        server: Arc<dyn InProcess>,
    ) -> Result<Self> {
        let key = key.1.header(key.0, &endpoint.name())?;
        Ok(Self { transport: Transport::InProcess(server), endpoint, key, timeout: LONGEST_DOWNLOAD })
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
        let mut body = vec![];
        let reply = receive(request.body(wire.body.clone()), &mut body, MOST_BODY_BYTES).await;
        Reply { body, ..reply }
    }

    /// Sends one call of a batch API once.
    pub async fn call(&self, call: &BatchCall) -> Reply {
        let timeout = self.timeout + Duration::from_secs((call.body.len() / SLOWEST) as u64);
        let mut body = vec![];
        match self.call_request(call) {
            Some(request) => {
                let reply = receive(request.timeout(timeout), &mut body, MOST_CALL_BYTES).await;
                Reply { body, ..reply }
            }
            None => Reply::not_sent("a server in this process has no batch API"),
        }
    }

    /// Sends one call and writes the response body to a file. If the transfer fails, the file contains the
    /// bytes that arrived. If the status is not a success, the reply contains the beginning of the body
    /// instead.
    pub async fn download(&self, call: &BatchCall, file: &mut File) -> Reply {
        let Some(request) = self.call_request(call) else {
            return Reply::not_sent("a server in this process has no batch API");
        };
        let mut sink = Download { file, refusal: vec![] };
        let reply = receive(request.timeout(LONGEST_DOWNLOAD), &mut sink, MOST_FILE_BYTES).await;
        Reply { body: sink.refusal, ..reply }
    }

    fn call_request(&self, call: &BatchCall) -> Option<RequestBuilder> {
        let Transport::Network(client) = &self.transport else { return None };
        let url = self.endpoint.url(&call.path);
        let mut request = if call.is_post { client.post(url) } else { client.get(url) };
        request = request.header(self.key.0, self.key.1.clone());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(content_type) = &call.content_type {
            request = request.header(CONTENT_TYPE, content_type).body(call.body.clone());
        }
        Some(request)
    }
}

/// The destination of a response body.
trait Sink: Send {
    /// Stores the next bytes of a response with this status.
    fn take(&mut self, status: u16, bytes: &[u8]) -> std::io::Result<()>;

    /// Discards most of a body that is too large.
    fn keep_sample(&mut self) {}
}

impl Sink for Vec<u8> {
    fn take(&mut self, _: u16, bytes: &[u8]) -> std::io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn keep_sample(&mut self) {
        self.truncate(SAMPLE_BYTES);
        self.shrink_to_fit();
    }
}

/// Writes the body of a success to a file, and keeps the beginning of any other body in memory.
struct Download<'a> {
    file: &'a mut File,
    refusal: Vec<u8>,
}

impl Sink for Download<'_> {
    fn take(&mut self, status: u16, bytes: &[u8]) -> std::io::Result<()> {
        if (200..300).contains(&status) {
            return self.file.write_all(bytes);
        }
        let room = SAMPLE_BYTES.saturating_sub(self.refusal.len());
        self.refusal.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }
}

/// Sends a request and passes the body of the response to the sink. The body of the reply stays empty.
async fn receive(request: RequestBuilder, sink: &mut dyn Sink, most_bytes: usize) -> Reply {
    let mut reply = Reply::default();
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            reply.transport_error = Some(transport_error(error));
            return reply;
        }
    };
    let status = response.status().as_u16();
    reply.status = Some(status);
    reply.headers = kept(response.headers());
    let mut n_bytes = 0;
    loop {
        let error = match response.chunk().await {
            Ok(None) => return reply,
            Ok(Some(chunk)) if n_bytes + chunk.len() > most_bytes => {
                sink.keep_sample();
                let message = format!("the answer is larger than {} MiB", most_bytes >> 20);
                TransportError { delivery: DeliveryStatus::TooLarge, message }
            }
            Ok(Some(chunk)) => {
                n_bytes += chunk.len();
                match sink.take(status, &chunk) {
                    Ok(()) => continue,
                    Err(error) => TransportError {
                        delivery: DeliveryStatus::Unknown,
                        message: format!("the answer cannot be stored: {error}"),
                    },
                }
            }
            // The headers of the response arrived, so the request reached the server, regardless of the
            // error.
            Err(error) => TransportError { delivery: DeliveryStatus::Unknown, ..transport_error(error) },
        };
        reply.transport_error = Some(error);
        return reply;
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
    // The outermost error is only "error sending request"; the innermost error states the cause.
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

/// Whether TLS failed rather than the TCP connection.
fn is_tls_error(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.is::<rustls::Error>() {
            return true;
        }
        // The source of an I/O error is not the error that it wraps, so the wrapped error is read first.
        let inner = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inner.map(|inner| inner as _).or_else(|| source.source());
    }
    false
}
