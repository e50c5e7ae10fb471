//! A server beside other work of the same process, until it is no longer needed.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::server::run;
use super::settings::ServerSettings;
use crate::error::{Error, Result};
use crate::model::Model;

/// Models served by a thread of their own. Dropped, it takes no more requests, and those that still run are
/// ended.
pub struct Background {
    url: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Returns once requests are taken.
    ///
    /// # Errors
    /// Those of [`super::serve`].
    pub fn start(models: Vec<Model>, settings: &ServerSettings) -> Result<Self> {
        let (stop, told) = watch::channel(false);
        let (ready, begun) = mpsc::channel();
        let address = std::net::SocketAddr::new(settings.host, settings.port).to_string();
        let settings = settings.clone();
        let work = move || {
            let stopped = move || {
                let mut told = told.clone();
                async move { drop(told.wait_for(|told| *told).await) }
            };
            let url = |url: &str| ready.send(Ok(url.to_owned())).unwrap_or_default();
            if let Err(error) = run(models, &settings, url, stopped) {
                // Nobody listens any more once the server has begun; requests then fail where they are made.
                ready.send(Err(error)).unwrap_or_default();
            }
        };
        let fault = |source: std::io::Error| Error::Serve { address: address.clone(), source };
        let thread = std::thread::Builder::new().name("serve".into()).spawn(work).map_err(fault)?;
        let ended = || fault(std::io::Error::other("the server ended before it took a request"));
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
            // The thread does not panic; it has nothing to give back.
            thread.join().unwrap_or_default();
        }
    }
}
