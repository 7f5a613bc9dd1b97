//! Any request: the service answers it, without an error of its own.

use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Answer, Api, PARTIAL, PARTIAL_LIST, PROTOBUF, TABLE};

const SEGMENTS: [&str; 28] = [
    "api",
    "apis",
    "v1",
    "v1alpha2",
    "v1beta1",
    "v2",
    "apps",
    "batch",
    "gateway.networking.k8s.io",
    "events.k8s.io",
    "namespaces",
    "default",
    "services",
    "events",
    "secrets",
    "gateways",
    "tcproutes",
    "gatewayclasses",
    "status",
    "finalize",
    "openapi",
    "v3",
    "version",
    "livez",
    "%2e%2e",
    "%00",
    "%ff",
    "",
];

const NAMES: [&str; 14] = [
    "watch",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "allowWatchBookmarks",
    "timeoutSeconds",
    "labelSelector",
    "fieldSelector",
    "includeObject",
    "hash",
    "verbose",
    "pretty",
];

const VALUES: [&str; 22] = [
    "",
    "0",
    "1",
    "-1",
    "true",
    "false",
    "18446744073709551615",
    "9223372036854775808",
    "NotOlderThan",
    "Exact",
    "None",
    "1/a/b",
    "9007199254740991//",
    "a%3Db",
    "a+in+(b,c)",
    "!a,b!%3Dc",
    "((((",
    "metadata.name%3Da",
    "metadata.name%3D%5C",
    "spec.type!%3Dx",
    "%ff",
    "%F0%9F%A6%80",
];

const ACCEPTS: [&str; 9] = [
    "",
    "*/*",
    "application/yaml",
    PROTOBUF,
    TABLE,
    PARTIAL,
    PARTIAL_LIST,
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    ";;,=,/;q=,*/*;q=NaN",
];

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// Returns paths of any segments, and paths of resources.
fn paths() -> impl Strategy<Value = String> {
    let any = prop::collection::vec(select(&SEGMENTS[..]), 0..8);
    let resource = prop::collection::vec(select(&SEGMENTS[10..20]), 0..5);
    let group =
        select(&["api/v1", "apis/gateway.networking.k8s.io/v1", "apis/events.k8s.io/v1"][..]);
    prop_oneof![
        any.prop_map(|segments| format!("/{}", segments.join("/"))),
        (group, resource).prop_map(|(group, segments)| format!("/{group}/{}", segments.join("/"))),
    ]
}

fn queries() -> impl Strategy<Value = String> {
    let pair = (select(&NAMES[..]), select(&VALUES[..]));
    let pairs = prop::collection::vec(pair, 0..5);
    pairs.prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    })
}

proptest! {
    #[test]
    fn every_request_is_answered(
        method in select(&METHODS[..]),
        path in paths(),
        query in queries(),
        accept in select(&ACCEPTS[..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path = format!("{path}?{query}");
        let answer = runtime.block_on(async {
            let api = Api::new();
            api.create_gateway("a").await;
            let response = api.response(method, &path, &[("accept", accept)]).await;
            // The body of a watch does not end.
            let is_watch = response.status() == 200 && query.contains("watch");
            if is_watch { None } else { Some(Answer::read(response).await) }
        });
        let Some(answer) = answer else { return Ok(()) };
        prop_assert!(answer.code < 500 || answer.code == 504, "{method} {path}: {answer:?}");
        let is_json = answer.header("content-type") == "application/json";
        if answer.code >= 400 && method != "HEAD" && is_json {
            let status = answer.json();
            prop_assert_eq!(&status["kind"], "Status");
            prop_assert_eq!(&status["code"], answer.code);
        }
    }
}
