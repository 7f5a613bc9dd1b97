//! The program `sluicegate`.
fn main() {}
