//! The document at `/version`.

use serde_json::{Value, json};

/// Version of Kubernetes whose API is served. kubectl compares it with its own.
const MAJOR: &str = "1";
const MINOR: &str = "37";
const PATCH: &str = "2";

/// Returns the version. That of this program is the build metadata of a semantic version.
pub(super) fn version() -> Value {
    let own = env!("CARGO_PKG_VERSION");
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": format!("v{MAJOR}.{MINOR}.{PATCH}+sluicegate.{own}"),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{arch}", std::env::consts::OS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_that_of_kubernetes() {
        let version = version();
        assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("37")));
        let git_version = version["gitVersion"].as_str().unwrap();
        assert!(git_version.starts_with("v1.37.2+sluicegate."), "{git_version}");
        assert!(version.as_object().unwrap().values().all(Value::is_string));
    }
}
