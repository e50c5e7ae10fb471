//! Tables: reading, selecting and checking rows before anything is fitted.

pub(super) mod condition;
pub(super) mod plan;
pub(super) mod sample;
pub(super) mod tidy;
pub(super) mod validate;
