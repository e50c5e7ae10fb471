//! Starts the server and runs it until it is stopped.

use std::future::Future;
use std::sync::Arc;

use super::http;
use super::served_model::ServedModel;
use super::settings::ServerSettings;
use crate::error::{Error, Result};
use crate::model::Model;

/// Serves `models` until the process receives an interrupt or termination signal. `ready` is called with
/// the base URL once requests are accepted. Running requests are then completed, within the timeout of a
/// request.
///
/// # Errors
/// [`Error::Serve`] if the server cannot listen on the address.
pub fn serve(models: Vec<Model>, settings: &ServerSettings, ready: impl FnOnce(&str)) -> Result<()> {
    run(models, settings, |url| ready(url), http::stop_signal)
}

/// Serves until `stop` resolves for the first time. `ready` is called with the base URL once requests are
/// accepted.
pub(super) fn run<F: Future<Output = ()> + Send + 'static>(
    models: Vec<Model>,
    settings: &ServerSettings,
    ready: impl FnOnce(&str),
    stop: impl Fn() -> F + Send + 'static,
) -> Result<()> {
    let served = models
        .into_iter()
        .map(|model| ServedModel::start(model, settings).map(Arc::new))
        .collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let address = std::net::SocketAddr::new(settings.host, settings.port);
    let fault = |source: std::io::Error| Error::Serve { address: address.to_string(), source };
    runtime.map_err(fault)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.map_err(fault)?;
        let bound = listener.local_addr().map_err(fault)?;
        ready(&format!("http://{bound}/v1"));
        http::run(listener, served, settings.clone(), stop).await.map_err(fault)
    })
}
