#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| surmise_fuzz::inputs(data));
