//! Quantities of resources, such as `500m` and `2Gi`.

/// Suffixes after the number. Kubernetes allows no others.
const SUFFIXES: [&str; 16] =
    ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Returns `true` for the syntax of a quantity: a number, and a suffix or an exponent.
pub(super) fn is_quantity(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    let (number, suffix) = number.split_at(end);
    let has_digit = number.bytes().any(|byte| byte.is_ascii_digit());
    let is_number = has_digit && number.matches('.').count() <= 1;
    let is_suffix = SUFFIXES.contains(&suffix);
    is_number && (is_suffix || is_exponent(suffix))
}

fn is_exponent(suffix: &str) -> bool {
    let Some(exponent) = suffix.strip_prefix(['e', 'E']) else { return false };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_suffixes_or_exponents() {
        for text in ["0", "1", "-1", "+1.5", ".5", "5.", "100m", "2Gi", "1e3", "1E-3", "5E", "7n"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "1 Gi", "Gi", "1gi", "1e", "1e+", "1mm", "0x1", "1µ"] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}
