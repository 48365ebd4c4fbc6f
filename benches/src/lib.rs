//! What the servers that are measured beside wsgate have in common.

pub mod framing;
pub mod peer;
