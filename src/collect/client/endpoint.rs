//! Checks and stores the base URL of an API.

use std::net::IpAddr;

use reqwest::Url;

use crate::error::{Error, Result};

/// The address to which requests are sent.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
}

impl Endpoint {
    /// Checks a base URL. It must name a host, use https unless the host is this machine, and contain no
    /// secret.
    ///
    /// # Errors
    /// [`Error::Parameter`] that describes the fault of the URL.
    pub fn new(base_url: &str) -> Result<Self> {
        let fault = |reason: &str| Err(Error::Parameter { name: "--base-url", reason: reason.into() });
        let Ok(base) = Url::parse(base_url) else { return fault("is not a URL; write https://HOST/PATH") };
        if !matches!(base.scheme(), "https" | "http") || base.host_str().is_none() {
            return fault("must begin with https:// and name a host");
        }
        if !base.username().is_empty() || base.password().is_some() || base.fragment().is_some() {
            return fault("must not contain a user, password or fragment; set keys in environment variables");
        }
        let secret = ["key", "token", "secret", "sig", "auth", "pass"];
        let names_secret = |name: &str| secret.iter().any(|word| name.to_lowercase().contains(word));
        if base.query_pairs().any(|(name, _)| names_secret(&name)) {
            return fault(
                "contains a key in its query, which logs and proxies can record; remove it and set the \
                 environment variable of the provider",
            );
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return fault("must begin with https://; http:// is allowed only for a server on this machine");
        }
        Ok(Self { base })
    }

    /// The URL of a path below the base URL. If the base URL has a query, the query follows the path.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let joined = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&joined);
        let queries: Vec<_> =
            [self.base.query().unwrap_or_default(), query].into_iter().filter(|q| !q.is_empty()).collect();
        url.set_query((!queries.is_empty()).then(|| queries.join("&")).as_deref());
        url
    }

    /// Whether the server runs on this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The parts of the URL that the answer depends on: scheme, host and path.
    pub fn identity(&self, path: &str) -> String {
        let mut url = self.url(path);
        url.set_query(None);
        url.into()
    }

    /// The base URL without its query, for messages and records.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_encrypted_or_local_and_holds_nothing_secret() {
        for (url, says) in [
            ("api.example.org", "not a URL"),
            ("ftp://example.org", "https://"),
            ("http://example.org/v1", "only for a server on this machine"),
            ("http://127.0.0.1.example.org", "only for a server on this machine"),
            ("https://me:secret@example.org", "not contain a user, password"),
            ("https://example.org/v1?key=abc", "contains a key in its query"),
            ("https://example.org/v1?api-version=1&Api_Key=abc", "contains a key in its query"),
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
