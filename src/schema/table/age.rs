//! Ages, as kubectl writes them: two or three significant figures.

use crate::model::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// Returns the time since a timestamp of an object; `<unknown>` without one.
pub(super) fn age(timestamp: Option<&str>, now: Timestamp) -> String {
    let Some(text) = timestamp.filter(|text| !text.is_empty()) else { return "<unknown>".into() };
    text.parse().map_or_else(|_| "<invalid>".into(), |since: Timestamp| duration(since, now))
}

fn duration(since: Timestamp, now: Timestamp) -> String {
    let millis = now.as_millisecond() - since.as_millisecond();
    // Clocks of two machines may differ by a second.
    if millis <= -2000 {
        return "<invalid>".into();
    }
    let seconds = (millis / 1000).max(0);
    let two = |large: i64, large_unit, small: i64, small_unit| {
        if small == 0 {
            format!("{large}{large_unit}")
        } else {
            format!("{large}{large_unit}{small}{small_unit}")
        }
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => two(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two(seconds / YEAR, "y", seconds / DAY % 365, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_has_two_or_three_figures() {
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (121, "2m1s"),
            (599, "9m59s"),
            (600, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 61, "3h1m"),
            (8 * HOUR - 1, "7h59m"),
            (8 * HOUR, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (8 * DAY - 1, "7d23h"),
            (8 * DAY, "8d"),
            (2 * YEAR - 1, "729d"),
            (2 * YEAR, "2y"),
            (2 * YEAR + DAY, "2y1d"),
            (8 * YEAR - 1, "7y364d"),
            (8 * YEAR, "8y"),
            (9 * YEAR - 1, "8y"),
        ] {
            let now = Timestamp::from_second(since.as_second() + seconds).unwrap();
            assert_eq!(age(Some("2026-01-01T00:00:00Z"), now), expected, "{seconds} s");
        }
        assert_eq!(age(None, since), "<unknown>");
        assert_eq!(age(Some("yesterday"), since), "<invalid>");
        let now = Timestamp::from_millisecond(since.as_millisecond() + 1_999).unwrap();
        assert_eq!(age(Some("2026-01-01T00:00:00.5Z"), now), "1s");
    }
}
