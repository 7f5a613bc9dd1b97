//! The name of this controller in Events.

use crate::model::GatewayController;

/// Maximum length of the part of a qualified name after the slash.
const MAX_NAME_LEN: usize = 63;

/// Returns the name of a controller as a qualified name, which the API server requires of the
/// reporting controller of an Event: a domain, a slash, and up to 63 letters, digits, `-`, `_` and
/// `.`.
///
/// The path of a GatewayClass's controller may contain further slashes and other characters. They
/// become `-`.
pub(in crate::sources) fn reporting_controller(controller: &GatewayController) -> String {
    let (domain, path) = controller.as_str().split_once('/').unwrap_or((controller.as_str(), ""));
    let to_valid = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
        _ => '-',
    };
    let is_edge = |letter: char| !letter.is_ascii_alphanumeric();
    let name: String = path.chars().map(to_valid).collect();
    let name: String = name.trim_start_matches(is_edge).chars().take(MAX_NAME_LEN).collect();
    match name.trim_end_matches(is_edge) {
        "" => format!("{domain}/controller"),
        name => format!("{domain}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reporting_controller_is_a_qualified_name() {
        let long = "a".repeat(80);
        for (controller, expected) in [
            ("sluicegate.dev/gateway-controller", "sluicegate.dev/gateway-controller"),
            ("example.com/a/b", "example.com/a-b"),
            ("example.com/~x!", "example.com/x"),
            ("example.com/a.b_c", "example.com/a.b_c"),
            ("example.com/~", "example.com/controller"),
            (&format!("example.com/{long}"), &format!("example.com/{}", "a".repeat(63))),
            (
                &format!("example.com/{}/b", "a".repeat(62)),
                &format!("example.com/{}", "a".repeat(62)),
            ),
        ] {
            assert_eq!(reporting_controller(&controller.parse().unwrap()), expected);
        }
    }
}
