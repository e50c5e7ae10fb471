//! The page of a results folder on this machine, made again whenever a result changes.
//!
//! Only this machine reaches the server. A request whose `Host` names another one is refused, so that a page
//! of the web cannot read results through a name that leads here.

mod http;
mod server;

pub use self::server::view;
