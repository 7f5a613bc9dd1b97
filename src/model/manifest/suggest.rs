//! Suggestions for misspelt names.

/// Maximum edit distance of a misspelt name to the suggested one.
const MAX_DISTANCE: usize = 2;

/// Returns the known name that is most similar to a misspelt one. Upper and lower case count as the
/// same. A short name must be more similar, because the distance between short names is small.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(MAX_DISTANCE, name, known)
}

/// Returns the known name that is most similar, at most at this edit distance.
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
        .map(|known| (edit_distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= max)
        .min()
        .map(|(_, known)| known)
}

/// Returns the Levenshtein distance of two words.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (row_index, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], row_index + 1);
        for (column, to) in other.iter().enumerate() {
            let substitution = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substitution.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
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
            ("x", None),
            ("weight", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), suggestion, "{name}");
        }
    }
}
