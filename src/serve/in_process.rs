//! Serves models within the process: the routes of the server without a port.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::http::router;
use super::served_model::ServedModel;
use super::settings::ServerSettings;
use crate::error::Result;
use crate::model::Model;

/// A model server without a port. Its decoding threads stop when the last clone is dropped.
#[derive(Clone)]
pub struct LocalServer {
    router: Router,
}

impl LocalServer {
    /// Starts the decoding threads.
    ///
    /// # Errors
    /// Returns the errors of [`super::serve`], except for errors of the port.
    pub fn start(models: Vec<Model>, settings: &ServerSettings) -> Result<Self> {
        let served = models.into_iter().map(|model| ServedModel::start(model, settings).map(Arc::new));
        Ok(Self { router: router(served.collect::<Result<_>>()?, settings.clone()) })
    }

    /// Sends a JSON body by POST to a path. Returns the status and the body of the response.
    pub async fn post(self, path: String, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let Ok(request) = request else { return (400, b"the path is not a valid URI".to_vec()) };
        // The router answers every request: its error type is `Infallible`.
        let Ok(response) = self.router.oneshot(request).await;
        let status = response.status().as_u16();
        match response.into_body().collect().await {
            Ok(body) => (status, body.to_bytes().to_vec()),
            Err(error) => (500, error.to_string().into_bytes()),
        }
    }
}
