//! Paths of fields, in the notation of Kubernetes: `spec.ports[0].name`, `metadata.labels[app]`.

use std::fmt;

/// Path of a field. A path borrows its parent, so that validation allocates for errors only.
#[derive(Debug, Clone, Copy)]
pub struct FieldPath<'a> {
    parent: Option<&'a Self>,
    segment: Segment<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> FieldPath<'a> {
    /// Path of the object itself.
    pub const ROOT: FieldPath<'static> = FieldPath { parent: None, segment: Segment::Root };

    /// Returns the path of a field of this object.
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), segment: Segment::Field(name) }
    }

    /// Returns the path of an item of this list.
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), segment: Segment::Index(index) }
    }

    /// Returns the path of an entry of this map.
    pub const fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), segment: Segment::Key(key) }
    }
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Field(name) if matches!(parent.segment, Segment::Root) => f.write_str(name),
            Segment::Field(name) => write!(f, ".{name}"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(key) => write!(f, "[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_written_as_in_kubernetes() {
        let spec = FieldPath::ROOT.field("spec");
        let ports = spec.field("ports");
        let port = ports.index(1);
        let labels = spec.field("labels");
        assert_eq!(port.field("name").to_string(), "spec.ports[1].name");
        assert_eq!(labels.key("a.b/c").to_string(), "spec.labels[a.b/c]");
        assert_eq!(FieldPath::ROOT.to_string(), "");
    }
}
