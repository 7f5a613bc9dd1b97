//! Parses the Accept header.

/// Item of an Accept header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MediaRange {
    /// `application`, or `*`.
    pub(super) main: String,
    /// `json`, or `*`.
    pub(super) sub: String,
    parameters: Vec<(String, String)>,
    quality: f32,
}

impl MediaRange {
    /// Parses a header, and returns its items in the order of preference. Malformed items and those
    /// that are not acceptable (`q=0`) are left out.
    pub(super) fn parse_list(header: &str) -> Vec<Self> {
        let mut ranges: Vec<_> = header.split(',').filter_map(Self::parse).collect();
        // The sort is stable: items of one quality keep the order of the header, and wildcards are
        // last.
        ranges.sort_by(|a, b| {
            let wildcards = |range: &Self| (range.main == "*", range.sub == "*");
            b.quality.total_cmp(&a.quality).then(wildcards(a).cmp(&wildcards(b)))
        });
        ranges
    }

    /// Returns the value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Returns `true` if a media type such as `application/json` is in this range.
    pub(super) fn contains(&self, media_type: &str) -> bool {
        let (main, sub) = media_type.split_once('/').unwrap_or((media_type, ""));
        match (self.main.as_str(), self.sub.as_str()) {
            ("*", "*") => true,
            (own, "*") => own == main,
            (own_main, own_sub) => own_main == main && own_sub == sub,
        }
    }

    fn parse(item: &str) -> Option<Self> {
        let mut parts = item.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let parameters = parts.filter_map(|part| part.split_once('='));
        let parameters: Vec<_> = parameters
            .map(|(name, value)| {
                let value = value.trim().trim_matches('"').to_owned();
                (name.trim().to_ascii_lowercase(), value)
            })
            .collect();
        let mut range = Self {
            main: main.trim().to_ascii_lowercase(),
            sub: sub.trim().to_ascii_lowercase(),
            parameters,
            quality: 1.0,
        };
        if let Some(quality) = range.parameter("q") {
            range.quality = quality.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
        }
        (range.quality > 0.0).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(header: &str) -> Vec<String> {
        let ranges = MediaRange::parse_list(header).into_iter();
        ranges.map(|range| format!("{}/{}", range.main, range.sub)).collect()
    }

    #[test]
    fn items_are_in_order_of_preference() {
        assert_eq!(
            types("a/b;q=0.5, */*, c/*, d/e, f/g;q=0.9"),
            ["d/e", "c/*", "*/*", "f/g", "a/b"]
        );
        assert_eq!(types("Application/JSON"), ["application/json"]);
    }

    #[test]
    fn malformed_items_are_left_out() {
        assert!(types("").is_empty());
        assert_eq!(types("json, a/b;q=x, a/b;q=2, a/b;q=NaN, c/d;q=0, e/f; ;x"), ["e/f"]);
    }

    #[test]
    fn parameters_are_found() {
        let ranges = MediaRange::parse_list("application/json; as=\"Table\";V=v1");
        assert_eq!(ranges[0].parameter("as"), Some("Table"));
        assert_eq!((ranges[0].parameter("v"), ranges[0].parameter("g")), (Some("v1"), None));
    }
}
