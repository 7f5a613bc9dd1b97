//! The names in a certificate.

use std::iter;
use std::net::IpAddr;

/// Tags of DER (X.690).
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Tag of the extensions in a certificate (RFC 5280, 4.1).
const EXTENSIONS: u8 = 0xa3;

/// Tags of names in the extension subjectAltName (RFC 5280, 4.2.1.6).
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// Object identifier of subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Tag and contents of an element of DER.
type Element<'a> = (u8, &'a [u8]);

/// Returns the DNS names and IP addresses in a certificate, for the log. The TLS library checks
/// certificates, so that a malformed one is not an error here.
pub(super) fn certificate_names(certificate: &[u8]) -> Vec<String> {
    let names = subject_alt_name(certificate).map(|names| elements(names).filter_map(name_of));
    names.into_iter().flatten().collect()
}

fn subject_alt_name(certificate: &[u8]) -> Option<&[u8]> {
    let to_be_signed = find(find(certificate, SEQUENCE)?, SEQUENCE)?;
    let extensions = find(find(to_be_signed, EXTENSIONS)?, SEQUENCE)?;
    let mut extensions = elements(extensions).map(|(_, extension)| extension);
    let is_wanted = |it: &&[u8]| find(it, OBJECT_IDENTIFIER) == Some(SUBJECT_ALT_NAME);
    find(find(extensions.find(is_wanted)?, OCTET_STRING)?, SEQUENCE)
}

fn name_of((tag, contents): Element<'_>) -> Option<String> {
    match tag {
        DNS_NAME => str::from_utf8(contents).ok().map(str::to_owned),
        IP_ADDRESS => {
            let v4 = <[u8; 4]>::try_from(contents).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(contents).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Finds the first element with a tag, and returns its contents.
fn find(der: &[u8], tag: u8) -> Option<&[u8]> {
    elements(der).find(|(found, _)| *found == tag).map(|(_, contents)| contents)
}

/// Returns the elements of DER up to a malformed one.
fn elements(mut der: &[u8]) -> impl Iterator<Item = Element<'_>> {
    iter::from_fn(move || {
        let (element, rest) = split_element(der)?;
        der = rest;
        Some(element)
    })
}

/// Returns the first element, and the rest.
fn split_element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let [tag, length, rest @ ..] = der else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // The long form: the number of bytes of the length, then the length.
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some(((*tag, contents), rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(names: &[&str]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn names_and_addresses_are_found_in_their_order() {
        let names = ["a.example", "*.b.example", "192.0.2.7", "2001:db8::5"];
        assert_eq!(certificate_names(&certificate(&names)), names);
        // The length of the extension needs two bytes.
        let long = format!("{}.example", ["a"; 100].join("."));
        assert_eq!(certificate_names(&certificate(&[&long, "b"])), [&long, "b"]);
        assert!(certificate_names(&certificate(&[])).is_empty());
    }

    #[test]
    fn malformed_certificate_has_no_names() {
        let whole = certificate(&["a.example"]);
        for end in 0..whole.len() {
            assert!(certificate_names(&whole[..end]).is_empty(), "{end}");
        }
        for index in 0..whole.len() {
            let mut changed = whole.clone();
            changed[index] = 0xff;
            assert!(certificate_names(&changed).len() <= 1, "{index}");
        }
    }
}
