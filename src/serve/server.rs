//! Runs the server until it is stopped.

use std::future::Future;
use std::sync::Arc;

use super::http::{router, stop_signal};
use super::listen::listen;
use super::served_model::ServedModel;
use super::settings::ServerSettings;
use crate::error::{Error, Result};
use crate::machine;
use crate::model::Model;

/// Number of threads that handle sockets.
const WORKERS: usize = 2;

/// Serves `models` until the process receives an interrupt or termination signal. Calls `ready` with the base
/// URL once requests are accepted. After the signal, waits until running requests are complete, for at most
/// the timeout of a request and at most ten seconds.
///
/// # Errors
/// [`Error::Serve`] if the server cannot listen on the address.
pub fn serve(models: Vec<Model>, settings: &ServerSettings, ready: impl FnOnce(&str)) -> Result<()> {
    run(models, settings, |url| ready(url), stop_signal)
}

/// Serves until `stop` resolves for the first time. Calls `ready` with the base URL once requests are
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
    let address = std::net::SocketAddr::new(settings.host, settings.port);
    let fault = |source: std::io::Error| Error::Serve { address: address.to_string(), source };
    let runtime = machine::runtime(Some(WORKERS)).map_err(fault)?;
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.map_err(fault)?;
        let bound = listener.local_addr().map_err(fault)?;
        ready(&format!("http://{bound}/v1"));
        let router = router(served, settings.clone());
        listen(listener, router, settings.timeout, stop).await.map_err(fault)
    });
    // Do not wait for requests that are still being prepared.
    runtime.shutdown_background();
    ended
}
