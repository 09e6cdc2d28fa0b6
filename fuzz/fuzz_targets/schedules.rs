#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| afterward_fuzz::schedules::run(input));
