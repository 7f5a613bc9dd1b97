//! Forms of answers, chosen by the Accept header.

use http::HeaderMap;
use http::header::ACCEPT;

use super::media_range::MediaRange;
use crate::api::status::Status;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// Encoding of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::api) enum Encoding {
    #[default]
    Json,
    Yaml,
}

/// Shape of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::api) enum Shape {
    /// Whole objects.
    #[default]
    Object,
    Table,
    PartialObject,
    PartialObjectList,
    /// Aggregated discovery.
    Discovery,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::api) struct Form {
    pub(in crate::api) encoding: Encoding,
    pub(in crate::api) shape: Shape,
}

/// Kind of an answer, which determines its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Offer {
    Objects,
    /// Events of a watch: JSON only, since YAML has no stream.
    Watch,
    Document,
    /// A discovery document that exists in aggregated form.
    Discovery,
    /// An OpenAPI document, which is JSON.
    OpenApi,
}

impl Encoding {
    /// Returns the media type.
    pub(in crate::api) fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Yaml => YAML,
        }
    }
}

impl Form {
    /// Chooses the form that a client prefers. Without an Accept header it is JSON.
    ///
    /// The whole list is considered: clients that prefer protobuf name JSON or `*/*` after it.
    pub(in crate::api) fn negotiate(headers: &HeaderMap, offer: Offer) -> Result<Self, Status> {
        let values = headers.get_all(ACCEPT).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        let header = values.join(",");
        if header.trim().is_empty() {
            return Ok(Self::default());
        }
        let ranges = MediaRange::parse_list(&header);
        let form = ranges.iter().find_map(|range| Self::of_range(range, offer));
        form.ok_or_else(|| Status::not_acceptable(offer.media_types()))
    }

    fn of_range(range: &MediaRange, offer: Offer) -> Option<Self> {
        let shape = Shape::of_range(range, offer)?;
        let mut media_types = offer.media_types().iter();
        let media_type = media_types.find(|media_type| range.contains(media_type))?;
        let encoding = if *media_type == YAML { Encoding::Yaml } else { Encoding::Json };
        Some(Self { encoding, shape })
    }
}

impl Shape {
    fn of_range(range: &MediaRange, offer: Offer) -> Option<Self> {
        let Some(kind) = range.parameter("as") else { return Some(Self::Object) };
        let group_version = (range.parameter("g")?, range.parameter("v")?);
        match (kind, group_version, offer) {
            ("Table", ("meta.k8s.io", "v1"), Offer::Objects | Offer::Watch) => Some(Self::Table),
            ("PartialObjectMetadata", ("meta.k8s.io", "v1"), Offer::Objects | Offer::Watch) => {
                Some(Self::PartialObject)
            }
            ("PartialObjectMetadataList", ("meta.k8s.io", "v1"), Offer::Objects) => {
                Some(Self::PartialObjectList)
            }
            ("APIGroupDiscoveryList", ("apidiscovery.k8s.io", "v2"), Offer::Discovery) => {
                Some(Self::Discovery)
            }
            _ => None,
        }
    }
}

impl Offer {
    fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Objects | Self::Document | Self::Discovery => &[JSON, YAML],
            Self::Watch | Self::OpenApi => &[JSON],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

    fn negotiate(accept: &str, offer: Offer) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Form::negotiate(&headers, offer).ok()
    }

    fn json(shape: Shape) -> Option<Form> {
        Some(Form { encoding: Encoding::Json, shape })
    }

    #[test]
    fn whole_list_is_considered() {
        let objects = |accept: &str| negotiate(accept, Offer::Objects);
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/json",
            &format!("{PROTOBUF}, */*"),
            &format!("{PROTOBUF},application/json"),
            &format!("{PROTOBUF};as=Table;v=v1;g=meta.k8s.io, application/json"),
            "application/json;as=Table;v=v2;g=meta.k8s.io, application/json",
            "application/json;charset=utf-8",
            "application/yaml;q=0.5, application/json;q=0.6",
        ] {
            assert_eq!(objects(accept), json(Shape::Object), "{accept}");
        }
        assert_eq!(objects(&format!("{TABLE}, application/json")), json(Shape::Table));
        let yaml = Some(Form { encoding: Encoding::Yaml, shape: Shape::Object });
        assert_eq!(objects("application/yaml"), yaml);
    }

    #[test]
    fn other_media_types_are_not_acceptable() {
        for accept in [PROTOBUF, "application/cbor", "text/html", "application/json;q=0", "x"] {
            assert_eq!(negotiate(accept, Offer::Objects), None, "{accept}");
        }
        assert_eq!(negotiate("application/json;as=Table", Offer::Objects), None);
        assert_eq!(negotiate(TABLE, Offer::Document), None);
        assert_eq!(negotiate("application/yaml", Offer::Watch), None);
        let status = Form::negotiate(
            &HeaderMap::from_iter([(ACCEPT, PROTOBUF.parse().unwrap())]),
            Offer::Objects,
        );
        assert_eq!(status.unwrap_err().code().as_u16(), 406);
    }

    #[test]
    fn shapes_depend_on_the_endpoint() {
        let partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
        assert_eq!(negotiate(partial, Offer::Watch), json(Shape::PartialObject));
        let list = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
        assert_eq!(negotiate(list, Offer::Objects), json(Shape::PartialObjectList));
        assert_eq!(negotiate(list, Offer::Watch), None);
        let discovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                         application/json;q=0.9";
        assert_eq!(negotiate(discovery, Offer::Discovery), json(Shape::Discovery));
        assert_eq!(negotiate(discovery, Offer::Document), json(Shape::Object));
    }

    #[test]
    fn headers_of_one_name_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, PROTOBUF.parse().unwrap());
        headers.append(ACCEPT, "application/yaml".parse().unwrap());
        let form = Form::negotiate(&headers, Offer::Objects).unwrap();
        assert_eq!(form.encoding.media_type(), "application/yaml");
    }
}
