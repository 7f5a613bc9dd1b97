//! Paths of fields, such as `spec.ports[0].name`.

use std::borrow::Cow;
use std::fmt;

use crate::model::truncate::truncate;

/// Maximum length of one name of a path in bytes. A key of a document can have any length, and many
/// errors can have the same path.
const MAX_STEP_LEN: usize = 80;

/// Path of a field in an object, as a chain that lives on the stack: it costs nothing unless an
/// error contains it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) if is_plain(name) => f.write_str(&shorten(name)),
            Self::Field(parent, name) if is_plain(name) => write!(f, "{parent}.{}", shorten(name)),
            // As Kubernetes writes the key of a label: `metadata.labels[example.com/team]`.
            Self::Field(parent, name) => write!(f, "{parent}[{}]", shorten(name)),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Returns a name of a path without the part beyond [`MAX_STEP_LEN`].
pub(super) fn shorten(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_STEP_LEN {
        return Cow::Borrowed(name);
    }
    // The ellipsis has three bytes.
    let mut shortened = name[..name.floor_char_boundary(MAX_STEP_LEN + 3)].to_owned();
    truncate(&mut shortened, MAX_STEP_LEN);
    Cow::Owned(shortened)
}

/// Returns `true` for a name that contains no separator of paths.
fn is_plain(name: &str) -> bool {
    !name.contains(['.', '[', ']', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_displayed_as_kubernetes_does() {
        let ports = Path::Field(&Path::Root, "ports");
        let first = Path::Index(&ports, 0);
        assert_eq!(Path::Field(&first, "name").to_string(), "ports[0].name");
        let labels = Path::Field(&Path::Root, "labels");
        assert_eq!(Path::Field(&labels, "a.b/c").to_string(), "labels[a.b/c]");
        assert_eq!(Path::Root.to_string(), "");
    }

    #[test]
    fn long_names_are_shortened() {
        let long = "ö".repeat(1_000);
        let path = Path::Field(&Path::Root, &long).to_string();
        assert!(path.len() <= MAX_STEP_LEN && path.ends_with('…'), "{path}");
        assert_eq!(shorten(&long[..MAX_STEP_LEN]), long[..MAX_STEP_LEN]);
    }
}
