//! A bound on what one input may make a parser allocate.
//!
//! libFuzzer bounds the process; this bounds the input: a parser that believes a length it reads, and reserves room for
//! it, is found at once, whatever the machine has. An allocation above the bound fails, which aborts the process.

use cap::Cap;
use std::{alloc::System, panic, sync::Once};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// A panic under a bound could not be told: its backtrace takes memory too.
static PANICS_ARE_FREE: Once = Once::new();

/// Runs `parser` with at most `budget_bytes` allocated at a time, beside what is allocated already. Other threads' memory
/// counts too, so one at a time.
pub fn within<T>(budget_bytes: usize, parser: impl FnOnce() -> T) -> T {
    PANICS_ARE_FREE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            // Raising never fails.
            let _ = MEMORY.set_limit(usize::MAX);
            tell(panicked);
        }));
    });
    // Lowering fails where more is in use already, which it can't be here.
    let lowered = MEMORY.set_limit(MEMORY.allocated().saturating_add(budget_bytes));
    debug_assert!(lowered.is_ok());
    let outcome = parser();
    let raised = MEMORY.set_limit(usize::MAX);
    debug_assert!(raised.is_ok());
    outcome
}
