//! The protocol as generated from `proto/ploy/v1` by `cargo xtask proto`. Only this crate and the
//! doors of services (`grpc.rs`, `inputs.rs`) touch these types.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::too_many_lines,
    clippy::cognitive_complexity,
    clippy::allow_attributes_without_reason,
    reason = "generated code follows its generator"
)]

include!("gen/ploy.v1.rs");

/// The descriptors of every file, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/ploy.v1.bin");
