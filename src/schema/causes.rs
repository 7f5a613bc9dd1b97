//! Collects the causes of a refused object.

use std::slice;

use super::cause::Cause;
use super::field_path::FieldPath;

/// Causes of a refused object. The first 100 are kept, and the others are counted: a cause takes
/// hundreds of bytes, and a body can have an error in every few of its bytes.
#[derive(Debug, Default)]
pub struct Causes {
    kept: Vec<Cause>,
    omitted: usize,
}

impl Causes {
    /// Number of causes that are kept.
    const MAX: usize = 100;

    /// Returns `true` if there is no cause.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns the number of causes that are counted only.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Returns the causes that are kept.
    pub fn iter(&self) -> slice::Iter<'_, Cause> {
        self.kept.iter()
    }

    /// Returns the causes that are kept, to change them.
    pub(crate) fn iter_mut(&mut self) -> slice::IterMut<'_, Cause> {
        self.kept.iter_mut()
    }

    /// Adds a cause. It is created only if it is kept.
    pub(crate) fn push(&mut self, create: impl FnOnce() -> Cause) {
        if self.kept.len() < Self::MAX {
            self.kept.push(create());
        } else {
            self.omitted += 1;
        }
    }

    /// Adds the causes of another check.
    pub(crate) fn append(&mut self, other: Self) {
        self.omitted += other.omitted;
        for cause in other.kept {
            self.push(|| cause);
        }
    }

    /// Returns the causes that are kept. If there are more, a last cause has their number.
    pub fn into_list(self) -> Vec<Cause> {
        let mut list = self.kept;
        if self.omitted > 0 {
            let detail = format!("{} further errors are not listed", self.omitted);
            list.push(Cause::forbidden(&FieldPath::ROOT, &detail));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::schema::{find_kind, validate, validate_metadata};

    #[test]
    fn causes_beyond_the_bound_are_counted_and_not_created() {
        let mut created = 0;
        let mut add = |causes: &mut Causes, count| {
            for _ in 0..count {
                causes.push(|| {
                    created += 1;
                    Cause::required(&FieldPath::ROOT, "")
                });
            }
        };
        let (mut causes, mut others) = (Causes::default(), Causes::default());
        add(&mut causes, 70);
        add(&mut others, 300_000);
        causes.append(others);
        assert_eq!((causes.iter().count(), causes.omitted()), (100, 299_970));
        let list = causes.into_list();
        assert_eq!(list.len(), 101);
        assert_eq!(list[100].message, "Forbidden: 299970 further errors are not listed");
        assert_eq!(created, 170);
    }

    #[test]
    fn last_cause_within_the_bound_has_no_number() {
        let mut causes = Causes::default();
        for _ in 0..100 {
            causes.push(|| Cause::required(&FieldPath::ROOT, ""));
        }
        assert!(causes.into_list().iter().all(|cause| cause.message == "Required value"));
    }

    #[test]
    fn all_errors_of_an_object_are_counted() {
        let object = |finalizer: Value| {
            let finalizers = vec![finalizer; 300_000];
            json!({"metadata": {"name": "a", "namespace": "b", "finalizers": finalizers}})
        };
        let (resource, version) = find_kind("", "v1", "ConfigMap").unwrap();
        let syntax = validate_metadata(&object("a b".into()), resource);
        let types = validate(&object(0.into()), version);
        for causes in [syntax, types] {
            assert_eq!((causes.iter().count(), causes.omitted()), (100, 299_900));
        }
    }
}
