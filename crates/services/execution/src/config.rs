//! What execution needs to know, read once and resolved to domain types.
