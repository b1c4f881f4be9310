#![no_main]

#[path = "../checks/assertion.rs"]
mod assertion;

libfuzzer_sys::fuzz_target!(|text: &str| assertion::check(text));
