//! The engine under faults.
