//! The metadata of objects that a Gateway owns.

use serde_json::{Map, Value, json};

use crate::model::{GATEWAY_GROUP, Gateway, Labels, NamespacedName, ObjectName, stable_hash};

/// The annotation that keeps in mind which labels and annotations come from the Gateway and the
/// settings: when they go there, they go here.
const RECORD: &str = "sluicegate.dev/set";

/// Who made an object.
pub(super) const MANAGED_BY: &str = "sluicegate";

/// The label that says who made an object.
pub(super) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The label that says of which class the Gateway was for which an object was made.
pub(super) const CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";

/// The metadata of an object that a Gateway owns, as far as it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WantedMetadata {
    pub(super) name: NamespacedName,
    /// The Gateway's name and `uid`.
    owner: (String, String),
    /// Those that are always there.
    pub(super) labels: Labels,
    /// Those that come and go with the Gateway's spec and the settings.
    pub(super) given_labels: Labels,
    pub(super) given_annotations: Labels,
}

impl WantedMetadata {
    /// The metadata of an object of a Gateway; `None` where the Gateway has no `uid`, and so cannot
    /// own anything.
    pub(super) fn new(gateway: &Gateway, name: ObjectName) -> Option<Self> {
        let metadata = &gateway.metadata;
        let labels = [
            (MANAGED_BY_LABEL, MANAGED_BY.to_owned()),
            ("gateway.networking.k8s.io/gateway-name", label_value(&metadata.name)),
            (CLASS_LABEL, label_value(&gateway.spec.gateway_class_name)),
        ];
        Some(Self {
            name: NamespacedName { namespace: metadata.namespace(), name },
            owner: (metadata.name.to_string(), metadata.uid.as_deref()?.to_owned()),
            labels: labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            given_labels: Labels::new(),
            given_annotations: Labels::new(),
        })
    }

    /// The Gateway that owns the object.
    pub(super) fn gateway(&self) -> NamespacedName {
        let name = self.owner.0.parse().expect("the name of a Gateway");
        NamespacedName { namespace: self.name.namespace.clone(), name }
    }

    /// Whether an object is the Gateway's.
    pub(super) fn owns(&self, live: &Value) -> bool {
        let owners = live["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *self.owner.1))
    }

    /// Metadata for a new object.
    pub(super) fn fresh(&self) -> Value {
        let mut metadata = json!({
            "namespace": self.name.namespace,
            "name": self.name.name,
        });
        self.correct(&mut metadata);
        metadata
    }

    /// Puts right what is ours of an object's metadata.
    pub(super) fn correct(&self, metadata: &mut Value) {
        let record = metadata["annotations"][RECORD].as_str().unwrap_or_default();
        let before: Value = serde_json::from_str(record).unwrap_or_default();
        let mut labels = self.given_labels.clone();
        labels.extend(self.labels.clone());
        correct_map(&mut metadata["labels"], &before["labels"], &labels);

        let mut annotations = self.given_annotations.clone();
        let given = json!({
            "annotations": self.given_annotations.keys().collect::<Vec<_>>(),
            "labels": self.given_labels.keys().collect::<Vec<_>>(),
        });
        if !self.given_annotations.is_empty() || !self.given_labels.is_empty() {
            annotations.insert(RECORD.to_owned(), given.to_string());
        } else if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.remove(RECORD);
        }
        correct_map(&mut metadata["annotations"], &before["annotations"], &annotations);
        for field in ["labels", "annotations"] {
            if metadata[field].as_object().is_none_or(Map::is_empty) {
                metadata.as_object_mut().expect("metadata is a map").remove(field);
            }
        }
        self.correct_owner(&mut metadata["ownerReferences"]);
    }

    fn correct_owner(&self, owners: &mut Value) {
        let (name, uid) = &self.owner;
        let mut all = owners.as_array().cloned().unwrap_or_default();
        if all.iter().all(|owner| owner["uid"] != **uid) {
            all.push(json!({ "uid": uid }));
        }
        for owner in all.iter_mut().filter(|owner| owner["uid"] == **uid) {
            owner["apiVersion"] = format!("{GATEWAY_GROUP}/v1").into();
            owner["kind"] = "Gateway".into();
            owner["name"] = name.as_str().into();
            owner["controller"] = true.into();
        }
        // One at most can be in charge; the API server takes no other.
        for owner in all.iter_mut().filter(|owner| owner["uid"] != **uid) {
            if owner["controller"] == true {
                owner["controller"] = false.into();
            }
        }
        *owners = all.into();
    }
}

/// Puts `wanted` into a map of labels or annotations, and takes out what was put there `before` and
/// is wanted no more.
fn correct_map(live: &mut Value, before: &Value, wanted: &Labels) {
    if !live.is_object() {
        *live = json!({});
    }
    let live = live.as_object_mut().expect("it is a map now");
    for key in before.as_array().into_iter().flatten().filter_map(Value::as_str) {
        live.remove(key);
    }
    for (key, value) in wanted {
        live.insert(key.clone(), value.as_str().into());
    }
}

/// A name as the value of a label, which is shorter.
pub(super) fn label_value(name: &ObjectName) -> String {
    const MAX_LEN: usize = 63;
    if name.as_str().len() <= MAX_LEN {
        return name.to_string();
    }
    let hash = format!("-{:08x}", stable_hash(name.as_str()) as u32);
    let fitting: String = name.as_str().chars().take(MAX_LEN - hash.len()).collect();
    fitting.trim_end_matches(['-', '.']).to_owned() + &hash
}
