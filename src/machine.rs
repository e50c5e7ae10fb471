//! The machine that the process runs on: what other machines see of it, and the threads it gives.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::error::Error;
use crate::guard;

/// Starts the threads that compute: `n` of them, or one per core.
///
/// # Errors
/// [`Error::Threads`] if the system refuses one. A pool that is there already stays.
pub(crate) fn start_pool(n: Option<usize>) -> Result<(), Error> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(n.unwrap_or(0)).build_global();
    match built.as_ref().map_err(std::error::Error::source) {
        Err(Some(refused)) => Err(no_thread(&refused)),
        Ok(()) | Err(None) => Ok(()),
    }
}

/// A runtime for waiting on sockets and clocks, on `workers` threads, or one per core.
///
/// # Errors
/// If the system refuses a thread.
pub(crate) fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    // It panics where a thread cannot be started.
    guard::guarded(|| builder.enable_all().build()).map_err(io::Error::other)?
}

/// The error about a thread that the system refuses.
pub(crate) fn no_thread(reason: &impl ToString) -> Error {
    Error::Threads { reason: reason.to_string() }
}

/// The host name, or `this machine` if there is none.
pub(crate) fn name() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".into())
}

/// The range in which process numbers are unique: the boot id of the machine and the process namespace, which
/// differs between containers. Process numbers can be compared only within it. `None` if the system does not
/// report it.
pub(crate) fn process_space() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}
