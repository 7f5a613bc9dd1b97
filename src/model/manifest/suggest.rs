//! Suggestions for misspelt names.

use strsim::osa_distance;

/// Maximum edit distance of a misspelt name to the suggested one.
const MAX_DISTANCE: usize = 2;

/// Returns the known name that is most similar to a misspelt one. Upper and lower case count as the
/// same. A short name must be more similar, because the distance between short names is small.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(MAX_DISTANCE, name, known)
}

/// Returns the known name that is most similar, at most at this edit distance. Two adjacent letters
/// in the wrong order count as one edit.
pub(super) fn nearest_within<'a>(
    max_distance: usize,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let max = max_distance.min(name.chars().count() / 2);
    let lower = name.to_lowercase();
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= max_distance)
        .map(|known| (osa_distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= max)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_suggested() {
        let known = ["name", "namespace", "labels", "uid"];
        for (name, suggestion) in [
            ("namepsace", Some("namespace")),
            ("Namespace", Some("namespace")),
            ("label", Some("labels")),
            ("nam", Some("name")),
            ("id", Some("uid")),
            ("nmae", Some("name")),
            ("x", None),
            ("weight", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), suggestion, "{name}");
        }
    }
}
