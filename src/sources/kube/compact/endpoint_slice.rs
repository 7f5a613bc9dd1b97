//! The encoding of an EndpointSlice.

use std::net::IpAddr;

use super::bytes::{Decoder, Encoder};
use super::service::{decode_port, decode_protocol, encode_protocol};
use crate::model::{
    AddressType, EndpointAddress, EndpointConditions, EndpointPort, EndpointSlice, ObjectMeta,
    PortNumber, SERVICE_NAME_LABEL, SliceEndpoint,
};

/// Encodes a slice, without its metadata. The name of its Service comes first.
pub(super) fn encode(encoder: &mut Encoder, slice: &EndpointSlice) {
    let EndpointSlice { metadata: _, address_type, endpoints, ports } = slice;
    encoder.optional_text(slice.service_name());
    encoder.byte(match address_type {
        AddressType::IPv4 => 0,
        AddressType::IPv6 => 1,
        AddressType::Fqdn => 2,
    });
    encoder.list(endpoints, |encoder, endpoint| {
        let SliceEndpoint { addresses, conditions, node_name, zone } = endpoint;
        encoder.list(addresses, encode_address);
        encode_conditions(encoder, conditions);
        encoder.optional_text(node_name.as_deref());
        encoder.optional_text(zone.as_deref());
    });
    encoder.list(ports, |encoder, port| {
        // An invalid port counts as absent.
        let EndpointPort { name, port, invalid_port: _, protocol } = port;
        encoder.optional_text(name.as_deref());
        encoder.bytes(&port.map_or(0, PortNumber::get).to_be_bytes());
        encode_protocol(encoder, *protocol);
    });
}

/// Decodes the name of the Service of a slice.
pub(super) fn decode_service_name<'a>(decoder: &mut Decoder<'a>) -> Option<&'a str> {
    decoder.optional_text()
}

/// Decodes a slice. `metadata` contains its name.
pub(super) fn decode(decoder: &mut Decoder<'_>, mut metadata: ObjectMeta) -> EndpointSlice {
    if let Some(name) = decode_service_name(decoder) {
        metadata.labels.insert(SERVICE_NAME_LABEL.to_owned(), name.to_owned());
    }
    let address_type = match decoder.byte() {
        0 => AddressType::IPv4,
        1 => AddressType::IPv6,
        _ => AddressType::Fqdn,
    };
    let endpoints = decoder.list(|decoder| SliceEndpoint {
        addresses: decoder.list(decode_address),
        conditions: decode_conditions(decoder),
        node_name: decoder.optional_text().map(Into::into),
        zone: decoder.optional_text().map(Into::into),
    });
    let ports = decoder.list(|decoder| EndpointPort {
        name: decoder.optional_text().map(str::to_owned),
        port: decode_port(decoder),
        invalid_port: None,
        protocol: decode_protocol(decoder),
    });
    EndpointSlice { metadata, address_type, endpoints, ports }
}

fn encode_address(encoder: &mut Encoder, address: &EndpointAddress) {
    match address {
        EndpointAddress::Ip(IpAddr::V4(ip)) => {
            encoder.byte(4);
            encoder.bytes(&ip.octets());
        }
        EndpointAddress::Ip(IpAddr::V6(ip)) => {
            encoder.byte(6);
            encoder.bytes(&ip.octets());
        }
        EndpointAddress::Name(name) => {
            encoder.byte(0);
            encoder.text(name);
        }
    }
}

fn decode_address(decoder: &mut Decoder<'_>) -> EndpointAddress {
    match decoder.byte() {
        4 => EndpointAddress::Ip(decoder.array::<4>().into()),
        6 => EndpointAddress::Ip(decoder.array::<16>().into()),
        _ => EndpointAddress::Name(decoder.text().into()),
    }
}

/// Encodes the conditions in one byte, two bits for each.
fn encode_conditions(encoder: &mut Encoder, conditions: &EndpointConditions) {
    let EndpointConditions { ready, serving, terminating } = *conditions;
    let bits = [ready, serving, terminating].map(|condition| match condition {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    });
    encoder.byte(bits[0] | bits[1] << 2 | bits[2] << 4);
}

fn decode_conditions(decoder: &mut Decoder<'_>) -> EndpointConditions {
    let byte = decoder.byte();
    let condition = |shift: u8| match byte >> shift & 3 {
        0 => None,
        1 => Some(false),
        _ => Some(true),
    };
    EndpointConditions { ready: condition(0), serving: condition(2), terminating: condition(4) }
}
