//! The checker sees what it shall see.
