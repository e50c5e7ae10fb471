//! Connects to a hub. A connection has the address of the hub, an HTTP client, and the token, which is sent
//! only to the hub itself.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Client;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use super::id::Id;
use super::settings::HubSettings;
use crate::error::{Error, Result};

/// Timeout for establishing a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection to a hub for one model.
pub(super) struct Connection<'a> {
    pub(super) settings: &'a HubSettings,
    pub(super) id: &'a Id,
    pub(super) client: Client,
    pub(super) endpoint: Url,
    pub(super) bearer: Option<HeaderValue>,
}

/// Whether a URL may be requested. Unencrypted requests are allowed only to this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl<'a> Connection<'a> {
    pub(super) fn new(settings: &'a HubSettings, id: &'a Id) -> Result<Self> {
        let bad = |reason: &str| Error::Parameter { name: "HF_ENDPOINT", reason: reason.into() };
        let endpoint = Url::parse(&settings.endpoint)
            .map_err(|_| bad("is not a URL; unset it, or set it to https://HOST"))?;
        if !is_safe(&endpoint) {
            return Err(bad(
                "must begin with https://; http:// is allowed only for a server on this machine",
            ));
        }
        let bearer = match &settings.token {
            None => None,
            Some(token) => {
                let reason =
                    "(or the token file) contains characters that a token cannot contain; log in again";
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0))
                    .map_err(|_| Error::Parameter { name: "HF_TOKEN", reason: reason.into() })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        // An error means that a provider is already installed, which works as well.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let builder = || {
            let builder = Client::builder()
                .user_agent(concat!("surmise/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .referer(false)
                .connect_timeout(CONNECT.min(settings.idle))
                .timeout(settings.idle);
            // A proxy cannot reach a server on this machine, and could read the unencrypted token.
            if is_loopback(&endpoint) { builder.no_proxy() } else { builder }
        };
        let client = match builder().build() {
            // The connection to a server on this machine needs no certificates.
            Err(_) if is_loopback(&endpoint) => builder().tls_certs_only([]).build(),
            client => client,
        };
        let client = client.map_err(|source| {
            let reason = "cannot set up a connection; check that the system's certificates are installed \
                          (ca-certificates)";
            settings.fault(id, reason.into(), Some(source.into()))
        })?;
        Ok(Self { settings, id, client, endpoint, bearer })
    }

    /// The URL of the endpoint, followed by these path segments. A slash within a segment is escaped.
    pub(super) fn url<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Url {
        let mut url = self.endpoint.clone();
        // This always succeeds: only URLs without a host have no path, and `new` rejects them.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// The URL of a file in a commit.
    pub(super) fn url_of_file(&self, commit: &str, file: &str) -> Url {
        self.url(self.id.parts().chain(["resolve", commit]).chain(file.split('/')))
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> Error {
        self.settings.fault(self.id, reason.into(), None)
    }
}
