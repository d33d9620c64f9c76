//! The gRPC face of execution: the generated service around [`crate::ExecutionService`].
