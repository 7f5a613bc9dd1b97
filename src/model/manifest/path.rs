//! Paths of fields, such as `spec.ports[0].name`.

use std::fmt;

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
            Self::Field(Self::Root, name) if is_plain(name) => f.write_str(name),
            Self::Field(parent, name) if is_plain(name) => write!(f, "{parent}.{name}"),
            // As Kubernetes writes the key of a label: `metadata.labels[example.com/team]`.
            Self::Field(parent, name) => write!(f, "{parent}[{name}]"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
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
}
