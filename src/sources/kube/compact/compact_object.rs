//! The compact form of a Service or an EndpointSlice.

use super::bytes::{Decoder, Encoder};
use super::{endpoint_slice, service};
use crate::model::{EndpointSlice, NamespacedName, ObjectMeta, ObjectName, Service, stable_hash};

/// The compact form of a Service or an EndpointSlice: the encoded fields that routing uses. The
/// kind and the name are not encoded, because the key of the object contains them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::kube) struct CompactObject(Box<[u8]>);

impl CompactObject {
    /// Encodes a Service.
    pub(in crate::sources::kube) fn of_service(service: &Service) -> Self {
        let mut encoder = start(&service.metadata);
        service::encode(&mut encoder, service);
        Self(encoder.into_bytes())
    }

    /// Encodes an EndpointSlice.
    pub(in crate::sources::kube) fn of_slice(slice: &EndpointSlice) -> Self {
        let mut encoder = start(&slice.metadata);
        endpoint_slice::encode(&mut encoder, slice);
        Self(encoder.into_bytes())
    }

    /// Decodes the Service of this name.
    pub(in crate::sources::kube) fn to_service(&self, name: &NamespacedName) -> Service {
        service::decode(&mut self.content(), metadata(name))
    }

    /// Decodes the EndpointSlice of this name.
    pub(in crate::sources::kube) fn to_slice(&self, name: &NamespacedName) -> EndpointSlice {
        endpoint_slice::decode(&mut self.content(), metadata(name))
    }

    /// Returns the name of the Service of an EndpointSlice.
    pub(in crate::sources::kube) fn service_name(&self) -> Option<ObjectName> {
        endpoint_slice::decode_service_name(&mut self.content())?.parse().ok()
    }

    /// Returns `true` if this is a version of the object with this uid.
    pub(in crate::sources::kube) fn has_uid(&self, uid: &str) -> bool {
        Decoder::new(&self.0).array() == stable_hash(uid).to_be_bytes()
    }

    /// Returns the size in bytes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn content(&self) -> Decoder<'_> {
        let mut decoder = Decoder::new(&self.0);
        let _uid: [u8; 8] = decoder.array();
        decoder
    }
}

/// Starts an encoding with the hash of the uid, which is used only to compare uids.
fn start(metadata: &ObjectMeta) -> Encoder {
    let mut encoder = Encoder::default();
    encoder.bytes(&stable_hash(metadata.uid.as_deref().unwrap_or_default()).to_be_bytes());
    encoder
}

fn metadata(name: &NamespacedName) -> ObjectMeta {
    ObjectMeta { namespace: Some(name.namespace.clone()), ..ObjectMeta::named(name.name.clone()) }
}
