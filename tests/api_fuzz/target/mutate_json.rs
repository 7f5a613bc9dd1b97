//! Mutations of JSON values.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::mutate::word;
use super::words::{JSON, KEYS};

/// Longest string that a mutation creates.
const LONG: usize = 4096;

/// Deepest nesting that a mutation creates: more than the API reads.
const DEEP: usize = 140;

/// Changes a value in one place.
pub(super) fn mutate_json(value: &mut Value, random: &mut Rng) {
    let pointers = pointers(value);
    let taken = random.choice(&pointers).and_then(|pointer| value.pointer(pointer)).cloned();
    let Some(place) = random.choice(&pointers).and_then(|pointer| value.pointer_mut(pointer))
    else {
        return;
    };
    match place {
        Value::Object(fields) if random.u8(0..4) != 0 => mutate_fields(fields, taken, random),
        Value::Array(items) if random.u8(0..4) != 0 => mutate_items(items, taken, random),
        place => *place = new_value(taken, random),
    }
}

/// Returns the operations of a JSON patch for an object.
pub(super) fn patch_operations(object: &Value, random: &mut Rng) -> Value {
    let pointers = pointers(object);
    let mut pointer = || match random.choice(&pointers) {
        Some(pointer) if !pointer.is_empty() => pointer.clone(),
        _ => format!("/metadata/labels/{}", random.u8(0..4)),
    };
    let paths: Vec<_> = (0..6).map(|_| pointer()).collect();
    let operations = paths.chunks(2).map(|pair| {
        let op = word(&["add", "remove", "replace", "test", "move", "copy"], random);
        json!({"op": op, "path": pair[0], "from": pair[1], "value": new_value(None, random)})
    });
    operations.collect()
}

fn mutate_fields(fields: &mut Map<String, Value>, taken: Option<Value>, random: &mut Rng) {
    let known = random.choice(fields.keys()).cloned();
    let key = word(KEYS, random).to_owned();
    match (known, random.u8(0..5)) {
        (Some(known), 0) => _ = fields.remove(&known),
        (Some(known), 1) => {
            if let Some(value) = fields.remove(&known) {
                fields.insert(key, value);
            }
        }
        (Some(known), 2 | 3) => _ = fields.insert(known, new_value(taken, random)),
        _ => _ = fields.insert(key, new_value(taken, random)),
    }
}

fn mutate_items(items: &mut Vec<Value>, taken: Option<Value>, random: &mut Rng) {
    match (random.choice(0..items.len()), random.u8(0..5)) {
        (Some(place), 0) => _ = items.remove(place),
        (Some(place), 1) => {
            let copies =
                random.usize(1..=if items[place].to_string().len() < 40 { 150 } else { 2 });
            items.extend(vec![items[place].clone(); copies]);
        }
        (Some(place), 2) => items.swap(0, place),
        (Some(place), 3) => items[place] = new_value(taken, random),
        _ => items.push(new_value(taken, random)),
    }
}

/// Returns a value: one of the words, one from another place, or an extreme one.
fn new_value(taken: Option<Value>, random: &mut Rng) -> Value {
    match (random.u8(0..16), taken) {
        (0, _) => "x".repeat(random.usize(0..LONG)).into(),
        (1, _) => (0..random.usize(0..DEEP)).fold(Value::Null, |value, _| json!([value])),
        (2, _) => random.i64(..).into(),
        (3, _) => {
            let keys = (0..random.usize(0..200)).map(|index| (format!("k{index}"), json!("v")));
            Value::Object(keys.collect())
        }
        (4..=6, Some(taken)) => taken,
        _ => serde_json::from_str(word(JSON, random)).unwrap_or_default(),
    }
}

/// Returns the JSON pointers of all values, the deepest ones of a bounded number.
fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
        if found.len() > 1000 {
            return;
        }
        found.push(pointer.to_owned());
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, &format!("{pointer}/{key}"), found);
            }),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| {
                collect(value, &format!("{pointer}/{index}"), found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}
