//! Bounds of what an answer reports: a body can contain many unknown fields.

/// Unknown or duplicate fields that are reported.
const MAX_REPORTED: usize = 100;

/// Length of a reported path or warning.
const MAX_CHARACTERS: usize = 256;

/// Removes the paths beyond the bound, and shortens the others.
pub(super) fn bound_paths(paths: &mut Vec<String>) {
    let count = paths.len();
    paths.truncate(MAX_REPORTED);
    for path in paths.iter_mut() {
        if let Some((end, _)) = path.char_indices().nth(MAX_CHARACTERS) {
            path.truncate(end);
            path.push('…');
        }
    }
    if count > MAX_REPORTED {
        paths.push(format!("… ({} further fields)", count - MAX_REPORTED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_bounded() {
        let mut paths = vec!["é".repeat(300); 101];
        bound_paths(&mut paths);
        assert_eq!(paths.len(), 101);
        assert_eq!(paths[0].chars().count(), 257);
        assert_eq!(paths[100], "… (1 further fields)");
    }
}
