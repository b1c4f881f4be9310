//! igctl
fn main() {}
