//! The reports of semantic profiles: the share of semantic information by block, depth and number of
//! examples. `report profiles|depth|shots` look at what they are given and come here for these.
//!
//! | file | contents |
//! |---|---|
//! | `read.rs` | rows and summaries of folders and of tables |
//! | `profiles.rs`, `depth.rs`, `shots.rs` | the reports |
//! | `reliability.rs` | what the numbers are worth, as sentences of a caption |

mod depth;
mod profiles;
mod read;
mod reliability;
mod shots;

pub(super) use self::depth::depth;
pub(super) use self::profiles::profiles;
pub(super) use self::read::read;
pub(super) use self::shots::shots;
