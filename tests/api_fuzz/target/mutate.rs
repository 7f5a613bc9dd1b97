//! Mutations of requests.

use fastrand::Rng;
use serde_json::{Value, json};

use super::input::{Input, MAX_REQUESTS, RawRequest};
use super::mutate_json::{mutate_json, patch_operations};
use super::words::{BODIES, HEADERS, METHODS, PARAMETERS, PATHS, SEGMENTS, VALUES};

/// Changes an input in some places. Parts of another input may get into it.
pub(crate) fn mutate(input: &mut Input, other: &Input, random: &mut Rng) {
    for _ in 0..random.usize(1..=4) {
        mutate_once(input, other, random);
    }
}

fn mutate_once(input: &mut Input, other: &Input, random: &mut Rng) {
    let Some(index) = random.choice(0..input.0.len()) else {
        input.0.push(random_request(random));
        return;
    };
    let count = input.0.len();
    let request = &mut input.0[index];
    match random.u8(0..16) {
        0 => request.method = word(METHODS, random).as_bytes().to_vec(),
        1 | 2 => mutate_path(request, random),
        3 | 4 => mutate_query(request, random),
        5 | 6 => mutate_headers(request, random),
        7..=10 => mutate_body(request, random),
        11 => make_patch(request, random),
        12 if count > 1 => _ = input.0.remove(index),
        13 if count < MAX_REQUESTS => {
            let request = input.0[index].clone();
            input.0.push(request);
        }
        14 if count < MAX_REQUESTS => {
            let taken = random.choice(&other.0).cloned();
            let request = taken.unwrap_or_else(|| random_request(random));
            let place = random.usize(0..=input.0.len());
            input.0.insert(place, request);
        }
        _ => mutate_bytes(request, random),
    }
}

pub(super) fn word(words: &[&'static str], random: &mut Rng) -> &'static str {
    words[random.usize(..words.len())]
}

fn random_request(random: &mut Rng) -> RawRequest {
    let mut request = RawRequest {
        method: word(&METHODS[..6], random).as_bytes().to_vec(),
        url: word(PATHS, random).as_bytes().to_vec(),
        ..RawRequest::default()
    };
    if random.bool() {
        request.url.extend_from_slice(b"/web");
    }
    request.set_header("host", b"localhost");
    request.set_header("authorization", HEADERS[random.usize(0..4)].1.as_bytes());
    if random.bool() {
        mutate_query(&mut request, random);
    }
    if random.bool() {
        make_patch(&mut request, random);
    }
    request
}

fn mutate_path(request: &mut RawRequest, random: &mut Rng) {
    let end = request.url.iter().position(|byte| *byte == b'?').unwrap_or(request.url.len());
    let query = request.url.split_off(end);
    let mut segments: Vec<_> =
        request.url.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    let place = random.usize(0..segments.len());
    let segment = word(SEGMENTS, random).as_bytes().to_vec();
    match random.u8(0..6) {
        0 => segments.insert(place, segment),
        1 if segments.len() > 1 => _ = segments.remove(place),
        2 => {
            segments = word(PATHS, random).split('/').map(|part| part.as_bytes().to_vec()).collect()
        }
        3 => {
            segments =
                word(PATHS, random).split('/').map(|part| part.as_bytes().to_vec()).collect();
            segments.push(b"web".to_vec());
        }
        4 => segments.push(segment),
        _ => segments[place] = segment,
    }
    request.url = segments.join(&b'/');
    request.url.extend_from_slice(&query);
}

fn mutate_query(request: &mut RawRequest, random: &mut Rng) {
    let end = request.url.iter().position(|byte| *byte == b'?').unwrap_or(request.url.len());
    let query = request.url.split_off(end);
    let mut pairs: Vec<_> = query
        .get(1..)
        .unwrap_or_default()
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let value: String = word(VALUES, random)
        .chars()
        .map(|found| if found == ' ' { "%20".to_owned() } else { found.to_string() })
        .collect();
    let pair = format!("{}={value}", word(PARAMETERS, random)).into_bytes();
    match random.choice(0..pairs.len()) {
        Some(place) if random.u8(0..3) == 0 => _ = pairs.remove(place),
        Some(place) if random.bool() => {
            let name = pairs[place].split(|byte| *byte == b'=').next().unwrap_or_default();
            pairs[place] = [name, value.as_bytes()].join(&b'=');
        }
        _ => pairs.push(pair),
    }
    if !pairs.is_empty() {
        request.url.push(b'?');
        request.url.extend_from_slice(&pairs.join(&b'&'));
    }
}

fn mutate_headers(request: &mut RawRequest, random: &mut Rng) {
    let (name, value) = HEADERS[random.usize(..HEADERS.len())];
    match random.u8(0..8) {
        0 => request.headers.push((name.as_bytes().to_vec(), value.as_bytes().to_vec())),
        1 => {
            if let Some(place) = random.choice(0..request.headers.len()) {
                request.headers.remove(place);
            }
        }
        _ => request.set_header(name, value.as_bytes()),
    }
}

fn mutate_body(request: &mut RawRequest, random: &mut Rng) {
    if random.u8(0..16) == 0 {
        request.body = word(BODIES, random).as_bytes().to_vec();
        return;
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(mut value) => {
            mutate_json(&mut value, random);
            request.body = value.to_string().into_bytes();
        }
        Err(_) => splice(&mut request.body, random),
    }
}

/// Creates a patch of the object that the request names.
fn make_patch(request: &mut RawRequest, random: &mut Rng) {
    request.method = b"PATCH".to_vec();
    let mut value = serde_json::from_slice(&request.body).unwrap_or_else(|_| json!({}));
    let media_type = match random.u8(0..3) {
        0 => {
            value = patch_operations(&value, random);
            "application/json-patch+json"
        }
        1 => "application/merge-patch+json",
        _ => "application/strategic-merge-patch+json",
    };
    mutate_json(&mut value, random);
    request.set_header("content-type", media_type.as_bytes());
    request.body = value.to_string().into_bytes();
}

/// Changes bytes of any part.
fn mutate_bytes(request: &mut RawRequest, random: &mut Rng) {
    match random.u8(0..6) {
        0 => splice(&mut request.method, random),
        1 | 2 => splice(&mut request.url, random),
        3 => {
            if let Some(place) = random.choice(0..request.headers.len()) {
                splice(&mut request.headers[place].1, random);
            }
        }
        _ => splice(&mut request.body, random),
    }
}

fn splice(bytes: &mut Vec<u8>, random: &mut Rng) {
    let start = random.usize(0..=bytes.len());
    let end = random.usize(start..=bytes.len().min(start + 16));
    let part = bytes[start..end].to_vec();
    match random.u8(0..5) {
        0 => bytes.insert(start, random.u8(..)),
        1 => _ = bytes.drain(start..end),
        2 => {
            let copies = 1 << random.u8(0..10);
            let copied = part.repeat(copies);
            bytes.splice(start..start, copied);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte ^= 1 << random.u8(0..8);
            }
        }
        _ => {
            let text = word(VALUES, random).bytes();
            bytes.splice(start..end, text);
        }
    }
}
