//! Defines the routes: the page, its data, and a version that changes when the folder changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::sync::Mutex;

use crate::error::{Error, Result};
use crate::report::html::{page, version};

/// A rendered page, shared by all requests.
#[derive(Clone)]
struct MadePage {
    /// The version of the folder from which the page was rendered.
    version: String,
    html: Bytes,
    data: Bytes,
}

#[derive(Clone)]
struct App {
    folder: Arc<PathBuf>,
    port: u16,
    /// The last rendered page. The lock allows one rendering at a time.
    made: Arc<Mutex<Option<MadePage>>>,
}

/// The router for the page of a folder.
pub(super) fn router(folder: &Path, port: u16) -> Router {
    let app = App { folder: Arc::new(folder.into()), port, made: Arc::default() };
    Router::new()
        .route("/", get(whole))
        .route("/data", get(data))
        .route("/version", get(current))
        .layer(from_fn_with_state(app.clone(), admit))
        .with_state(app)
}

/// Rejects requests whose `Host` header names another host.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_own =
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{}", app.port));
    // Browsers omit the port from `Host` if the port is 80.
    let is_own = is_own || (app.port == 80 && ["127.0.0.1", "localhost"].contains(&host));
    if is_own {
        return next.run(request).await;
    }
    let message =
        "this server answers only requests for http://127.0.0.1 or http://localhost on this machine";
    (StatusCode::FORBIDDEN, message).into_response()
}

async fn whole(State(app): State<App>) -> Response {
    answer(app.page().await.map(|page| page.html), "text/html; charset=utf-8")
}

async fn data(State(app): State<App>) -> Response {
    answer(app.page().await.map(|page| page.data), "application/json")
}

async fn current(State(app): State<App>) -> Response {
    let version = version(&app.folder);
    answer(version.map(|version| json!({ "version": version }).to_string().into()), "application/json")
}

fn answer(made: Result<Bytes>, kind: &'static str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, header::HeaderValue::from_static("DENY"));
    match made {
        Ok(made) => {
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
            (StatusCode::OK, headers, made).into_response()
        }
        // The message is sent as plain text, so that a browser does not interpret it as HTML.
        Err(error) => {
            headers
                .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
            (StatusCode::SERVICE_UNAVAILABLE, headers, error.to_string()).into_response()
        }
    }
}

impl App {
    /// Returns the page for the current content of the folder, and renders it if the folder has changed.
    async fn page(&self) -> Result<MadePage> {
        let mut made = self.made.lock().await;
        let now = version(&self.folder)?;
        if let Some(page) = made.as_ref().filter(|page| page.version == now) {
            return Ok(page.clone());
        }
        let folder = self.folder.clone();
        let fault = |error| Error::Panicked {
            reason: format!("cannot make the page ({error}); this is a bug in surmise, please report it"),
        };
        // Reading files blocks the thread, so the page is made on a separate thread.
        let make = move || -> Result<MadePage> {
            let page = page(&folder)?;
            let (html, data) = (page.to_live_bytes(&now).into(), page.data().into());
            Ok(MadePage { version: now, html, data })
        };
        let page = tokio::task::spawn_blocking(make).await.map_err(fault)??;
        *made = Some(page.clone());
        Ok(page)
    }
}
