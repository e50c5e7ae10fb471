//! Identifies the machine and starts the threads of the process.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::error::Error;
use crate::guard;

/// Starts the thread pool for computation with `n` threads (default: one per core). If a pool already exists,
/// it is kept.
///
/// # Errors
/// [`Error::Threads`] if a thread cannot be started.
pub(crate) fn start_pool(n: Option<usize>) -> Result<(), Error> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(n.unwrap_or(0)).build_global();
    match built.as_ref().map_err(std::error::Error::source) {
        Err(Some(refused)) => Err(no_thread(&refused)),
        Ok(()) | Err(None) => Ok(()),
    }
}

/// Creates a runtime for network requests and timers with `workers` threads (default: one per core).
///
/// # Errors
/// Returns an error if a thread cannot be started.
pub(crate) fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    // `build` panics if a thread cannot be started; convert the panic to an error.
    guard::guarded(|| builder.enable_all().build()).map_err(io::Error::other)?
}

/// The error for a thread that cannot be started.
pub(crate) fn no_thread(reason: &impl ToString) -> Error {
    Error::Threads { reason: reason.to_string() }
}

/// The host name, or `this machine` if the name is unknown.
pub(crate) fn name() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".into())
}

/// The scope in which process ids are unique: the boot id of the machine and the process namespace, which
/// differs between containers. Process ids can be compared only within one scope. `None` if the system does
/// not report the scope.
pub(crate) fn process_space() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}
