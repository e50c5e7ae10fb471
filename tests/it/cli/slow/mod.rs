//! Slow tests of the command line; `-- --skip slow::` leaves them out.

pub mod blind;
pub mod blind_folder;
pub mod demo;
pub mod dictionary;
