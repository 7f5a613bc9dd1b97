//! The encoding of a Service.

use super::bytes::{Decoder, Encoder};
use crate::model::{
    IpFamily, ObjectMeta, PortNumber, Service, ServicePort, ServiceSpec, ServiceType,
    SessionAffinity, TransportProtocol,
};

/// Encodes the fields that routing uses of a backend: those that are left out decide only about the
/// cluster IP and the load balancer of the Service, to which this gateway does not connect.
pub(super) fn encode(encoder: &mut Encoder, service: &Service) {
    let Service { metadata: _, spec, status: _ } = service;
    let ServiceSpec {
        service_type,
        ports,
        session_affinity,
        ip_families,
        selector: _,
        external_traffic_policy: _,
        cluster_ip: _,
        cluster_ips: _,
    } = spec;
    encoder.byte(match service_type {
        ServiceType::ClusterIP => 0,
        ServiceType::NodePort => 1,
        ServiceType::LoadBalancer => 2,
        ServiceType::ExternalName => 3,
    });
    encoder.byte(match session_affinity {
        SessionAffinity::None => 0,
        SessionAffinity::ClientIP => 1,
    });
    encoder.list(ports, |encoder, port| {
        let ServicePort { name, protocol, port, target_port: _, node_port: _ } = port;
        encoder.optional_text(name.as_deref());
        encode_protocol(encoder, *protocol);
        encoder.bytes(&port.get().to_be_bytes());
    });
    encoder.list(ip_families, |encoder, family| {
        encoder.byte(match family {
            IpFamily::IPv4 => 4,
            IpFamily::IPv6 => 6,
        });
    });
}

/// Decodes a Service. `metadata` contains its name.
pub(super) fn decode(decoder: &mut Decoder<'_>, metadata: ObjectMeta) -> Service {
    let service_type = match decoder.byte() {
        0 => ServiceType::ClusterIP,
        1 => ServiceType::NodePort,
        2 => ServiceType::LoadBalancer,
        _ => ServiceType::ExternalName,
    };
    let session_affinity = match decoder.byte() {
        0 => SessionAffinity::None,
        _ => SessionAffinity::ClientIP,
    };
    let ports = decoder.list(|decoder| ServicePort {
        name: decoder.optional_text().map(str::to_owned),
        protocol: decode_protocol(decoder),
        ..ServicePort::tcp(decode_port(decoder).expect("a Service port is not 0"))
    });
    let ip_families = decoder.list(|decoder| match decoder.byte() {
        4 => IpFamily::IPv4,
        _ => IpFamily::IPv6,
    });
    let spec = ServiceSpec {
        service_type,
        ports,
        session_affinity,
        ip_families,
        ..ServiceSpec::default()
    };
    Service { metadata, spec, status: None }
}

pub(super) fn encode_protocol(encoder: &mut Encoder, protocol: TransportProtocol) {
    encoder.byte(match protocol {
        TransportProtocol::Tcp => 0,
        TransportProtocol::Udp => 1,
        TransportProtocol::Sctp => 2,
    });
}

pub(super) fn decode_protocol(decoder: &mut Decoder<'_>) -> TransportProtocol {
    match decoder.byte() {
        0 => TransportProtocol::Tcp,
        1 => TransportProtocol::Udp,
        _ => TransportProtocol::Sctp,
    }
}

/// Decodes a port; 0 stands for an absent one.
pub(super) fn decode_port(decoder: &mut Decoder<'_>) -> Option<PortNumber> {
    PortNumber::new(u16::from_be_bytes(decoder.array()))
}
