#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gateway_core::checks::response(bytes));
