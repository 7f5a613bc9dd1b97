//! A TCP gateway from a Kubernetes cluster.
fn main() {}
