//! Which targets there are.

/// A parser under fire.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its module, its binary and its folders of seeds and regressions.
    pub name: &'static str,
    /// Takes any bytes; panics where a promise is broken.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// Every target there is.
        pub fn all() -> Vec<Target> {
            vec![$(Target { name: stringify!($name), run: crate::$name::run }),*]
        }
    };
}

targets!(gateway, names, receipt, record, scheduler, schedules, segment, signature, sqs_json, sqs_query, sqs_reply);
