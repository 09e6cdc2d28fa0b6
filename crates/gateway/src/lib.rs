//! HTTP in front of the broker.
