//! Queue attributes: AWS's names and texts on one side, the state's on the other.

mod explain;
mod parse;
mod redrive;
mod render;

pub(super) use explain::{check_kind, explain};
pub(super) use parse::parse;
pub(super) use render::Wanted;
