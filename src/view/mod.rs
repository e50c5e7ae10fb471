//! Serves the page of a results folder on this machine, and updates it whenever a result changes.
//!
//! The server listens only on the loopback address. It rejects a request whose `Host` header names another
//! host, so that a web page cannot read results through a domain that resolves to this machine (DNS
//! rebinding).

mod http;
mod server;

pub use self::server::view;
