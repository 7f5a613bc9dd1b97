//! Invariants of answers.

use serde_json::Value;
use sluicegate::api::Role;

use super::target::Exchange;
use super::world::{SECRETS, TOKENS};

/// Longest answer of a failure.
const MAX_FAILURE_BYTES: usize = 128 << 10;

/// Maximum size of the headers in bytes. Clients limit it.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Checks code, form, length and confidential parts of an answer. `input` is the text of all
/// requests.
pub(super) fn check_answer(exchange: &Exchange<'_>, input: &[u8]) -> Result<(), String> {
    let Exchange { code, body, role, .. } = exchange;
    // A revision of the future is answered 504 with a reason that clients know.
    if *code >= 500 && *code != 504 {
        return Err("the server failed".to_owned());
    }
    if role.is_none() && ![400, 401, 403, 421, 429].contains(code) {
        return Err("the request without a valid token was not refused".to_owned());
    }
    check_form(exchange)?;
    check_length(exchange)?;
    let reads_secrets = matches!(role, Some(Role::Edit | Role::Admin));
    for secret in SECRETS {
        let is_allowed = (reads_secrets && *code < 300) || contains(input, secret);
        if contains(body, secret) && !is_allowed {
            return Err("the answer contains the value of a Secret".to_owned());
        }
    }
    let sent_openly = |token| {
        let request = exchange.request;
        let headers = request.headers.iter();
        let mut others = headers.filter(|(name, _)| !name.eq_ignore_ascii_case(b"authorization"));
        contains(&request.url, token)
            || contains(&request.body, token)
            || others.any(|(_, value)| contains(value, token))
            || exchange.before.iter().any(|object| object.to_value().to_string().contains(token))
    };
    for (token, _) in TOKENS {
        if contains(body, token) && !sent_openly(token) {
            return Err("the answer contains a token".to_owned());
        }
    }
    Ok(())
}

fn check_form(exchange: &Exchange<'_>) -> Result<(), String> {
    let Exchange { code, body, .. } = exchange;
    let media_type = exchange.headers.get("content-type").and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default();
    if exchange.request.method == b"HEAD" || *code == 304 {
        return if body.is_empty() { Ok(()) } else { Err("the answer has a body".to_owned()) };
    }
    if exchange.is_open {
        return if *code == 200 { Ok(()) } else { Err("the failure does not end".to_owned()) };
    }
    if media_type.starts_with("application/yaml") {
        let text = String::from_utf8_lossy(body);
        let is_status =
            text.contains("kind: Status\n") && text.contains(&format!("code: {code}\n"));
        return if *code < 400 || is_status { Ok(()) } else { Err("no Status".to_owned()) };
    }
    if !media_type.starts_with("application/json") {
        return if *code < 400 { Ok(()) } else { Err(format!("a failure as {media_type:?}")) };
    }
    if exchange.address.has_parameter("watch", "") || exchange.address.parameter("watch").is_some()
    {
        // This watch has ended. `OpenWatch` checks the events of those that are open.
        return Ok(());
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON: {error}"))?;
    if *code < 400 {
        return if value.is_object() { Ok(()) } else { Err("no object".to_owned()) };
    }
    let found = [&value["kind"], &value["apiVersion"], &value["status"]];
    let is_text = |field: &str| value[field].as_str().is_some_and(|text| !text.is_empty());
    if found != ["Status", "v1", "Failure"] || value["code"] != *code {
        return Err("the answer is not the Status of its code".to_owned());
    }
    if !is_text("message") || !is_text("reason") {
        return Err("the Status has no message or no reason".to_owned());
    }
    Ok(())
}

fn check_length(exchange: &Exchange<'_>) -> Result<(), String> {
    let headers = exchange.headers.iter();
    let bytes: usize = headers.map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > MAX_HEADER_BYTES {
        return Err(format!("the answer has {bytes} bytes of headers"));
    }
    let stored: usize = exchange.after.iter().map(|object| object.json_len()).sum();
    let most = match exchange.code {
        400.. => MAX_FAILURE_BYTES,
        _ if exchange.address.path.starts_with("/openapi") => usize::MAX,
        _ => 4 * (stored + exchange.request.body.len()) + MAX_FAILURE_BYTES,
    };
    let length = exchange.body.len();
    if length > most { Err(format!("the answer has {length} bytes")) } else { Ok(()) }
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}
