#![no_main]

#[path = "../checks/exposition.rs"]
mod exposition;

libfuzzer_sys::fuzz_target!(|text: &[u8]| exposition::check(text));
