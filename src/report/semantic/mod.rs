//! Makes the reports of semantic profiles: the share of semantic information by block, depth and number of
//! examples. The reports `profiles`, `depth` and `shots` call this module if their inputs are semantic
//! profiles.
//!
//! | file | contents |
//! |---|---|
//! | `read.rs` | reads rows and summaries of folders and tables |
//! | `profiles.rs`, `depth.rs`, `shots.rs` | the reports |
//! | `reliability.rs` | sentences on reliability, for captions |

mod depth;
mod profiles;
mod read;
mod reliability;
mod shots;

pub(super) use self::depth::depth;
pub(super) use self::profiles::profiles;
pub(super) use self::read::read;
pub(super) use self::shots::shots;
