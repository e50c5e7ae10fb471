//! Runs a server in a thread of this process until it is dropped.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::server::run;
use super::settings::ServerSettings;
use crate::error::{Error, Result};
use crate::model::Model;

/// A model server in a separate thread. Dropping it stops the server and aborts running requests.
pub struct Background {
    url: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts the server and returns once it accepts requests.
    ///
    /// # Errors
    /// Returns the errors of [`super::serve`].
    pub fn start(models: Vec<Model>, settings: &ServerSettings) -> Result<Self> {
        let (stop, stop_signal) = watch::channel(false);
        let (ready, begun) = mpsc::channel();
        let address = std::net::SocketAddr::new(settings.host, settings.port).to_string();
        let settings = settings.clone();
        let work = move || {
            let stopped = move || {
                let mut signal = stop_signal.clone();
                async move { drop(signal.wait_for(|is_stopped| *is_stopped).await) }
            };
            let url = |url: &str| ready.send(Ok(url.to_owned())).unwrap_or_default();
            if let Err(error) = run(models, &settings, url, stopped) {
                // Once the server has started, the channel has no receiver. The error is dropped, and
                // requests fail.
                ready.send(Err(error)).unwrap_or_default();
            }
        };
        let fault = |source: std::io::Error| Error::Serve { address: address.clone(), source };
        let thread = std::thread::Builder::new().name("serve".into()).spawn(work).map_err(fault)?;
        let ended = || fault(std::io::Error::other("the server ended before it accepted requests"));
        let url = begun.recv().map_err(|_| ended())??;
        Ok(Self { url, stop, thread: Some(thread) })
    }

    /// The base URL, such as `http://127.0.0.1:8000/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // The thread neither panics nor returns a value.
            thread.join().unwrap_or_default();
        }
    }
}
