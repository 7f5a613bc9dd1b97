//! Every endpoint without a token, with the wrong role, with a foreign Host, with an Origin.

use sluicegate::schema;

use crate::server::{Answer, Client, TestServer, wait_until, write_secret};

const VIEW: &str = "view-0123456789abcdef0123456789abcdef";
const EDIT: &str = "edit-0123456789abcdef0123456789abcdef";
const GATEWAY: &str = "gateway-0123456789abcdef0123456789abcdef";

/// Paths without objects.
const DOCUMENTS: [&str; 11] = [
    "/",
    "/version",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/apps",
    "/apis/apps/v1",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/api/v1",
    "/livez",
];

/// Path with an answer of code 200.
const SERVICES: &str = "/api/v1/services";

/// Request of a table: method, path, and the verb of the API.
struct Endpoint {
    method: &'static str,
    path: String,
    verb: &'static str,
    is_secret: bool,
    is_status: bool,
    is_for_gateways: bool,
}

/// Returns a request for each verb of each version of each resource and its status.
fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for resource in schema::resources() {
        for version in resource.versions() {
            let group = match resource.group() {
                "" => format!("/api/{}", version.name()),
                group => format!("/apis/{group}/{}", version.name()),
            };
            let scope = if resource.is_namespaced() { "/namespaces/default" } else { "" };
            let list = format!("{group}{scope}/{}", resource.plural());
            let object = format!("{list}/name");
            let status = format!("{object}/status");
            let mut add = |method, path: &str, verb| {
                let is_for_gateways = ["leases", "events"].contains(&resource.plural());
                endpoints.push(Endpoint {
                    method,
                    path: path.to_owned(),
                    verb,
                    is_secret: resource.plural() == "secrets",
                    is_status: path.ends_with("/status"),
                    is_for_gateways,
                });
            };
            add("GET", &list, "list");
            add("GET", &format!("{group}/{}", resource.plural()), "list");
            add("GET", &format!("{list}?watch=true&timeoutSeconds=1"), "watch");
            add("POST", &list, "create");
            add("DELETE", &list, "deletecollection");
            add("GET", &object, "get");
            add("PUT", &object, "update");
            add("PATCH", &object, "patch");
            add("DELETE", &object, "delete");
            if resource.has_status() {
                add("GET", &status, "get");
                add("PUT", &status, "update");
                add("PATCH", &status, "patch");
            }
        }
    }
    assert!(endpoints.len() > 100);
    endpoints
}

async fn start() -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    write_secret(&tokens, &format!("v view {VIEW}\ne edit {EDIT}\ng gateway {GATEWAY}\n"));
    TestServer::start(|builder| builder.tokens_file(tokens)).await
}

async fn send(client: &mut Client, endpoint: &Endpoint, headers: &str) -> Answer {
    client.send(endpoint.method, &endpoint.path, headers).await
}

#[tokio::test]
async fn every_endpoint_needs_token_host_and_no_origin() {
    let server = start().await;
    let mut client = server.connect().await;
    let host = format!("host: 127.0.0.1:{}\r\n", server.port);
    let admin = format!("authorization: Bearer {}\r\n", server.token);
    let foreign = format!("host: evil.example\r\n{admin}");
    let origin = format!("{host}{admin}origin: https://127.0.0.1:{}\r\n", server.port);
    let impersonation = format!("{host}{admin}impersonate-user: root\r\n");
    let endpoints = endpoints();
    let paths = endpoints.iter().map(|endpoint| (endpoint.method, endpoint.path.as_str()));
    let documents = DOCUMENTS.iter().chain(&["/unknown"]).map(|path| ("GET", *path));
    for (method, path) in paths.chain(documents) {
        for (headers, code, reason) in [
            (&host, 401, "Unauthorized"),
            (&foreign, 421, "MisdirectedRequest"),
            (&origin, 403, "Forbidden"),
            (&impersonation, 403, "Forbidden"),
        ] {
            let answer = client.send(method, path, headers).await;
            assert_eq!(answer.code, code, "{method} {path} {headers}: {answer:?}");
            let reason = format!("\"reason\":\"{reason}\"");
            assert!(answer.body.contains(&reason), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_needs_a_role_that_allows_it() {
    let server = start().await;
    let mut client = server.connect().await;
    for endpoint in endpoints() {
        let is_read = ["get", "list", "watch"].contains(&endpoint.verb);
        let Endpoint { is_secret, is_status, is_for_gateways, .. } = endpoint;
        let is_allowed = [
            (VIEW, is_read && !is_secret),
            (EDIT, is_read || !is_status),
            (GATEWAY, !is_secret && (is_read || is_status || is_for_gateways)),
        ];
        // Other tests send allowed requests. A watch would not end here.
        for (token, _) in is_allowed.into_iter().filter(|(_, is_allowed)| !is_allowed) {
            let answer = send(&mut client, &endpoint, &server.headers(token)).await;
            let place = format!("{} {} {token}", endpoint.method, endpoint.path);
            assert_eq!(answer.code, 403, "{place}: {answer:?}");
            let verb = format!("cannot {} resource", endpoint.verb);
            assert!(answer.body.contains(&verb), "{place}: {answer:?}");
        }
        for (token, _) in is_allowed.into_iter().filter(|(_, is_allowed)| *is_allowed) {
            if endpoint.verb == "get" || endpoint.verb == "list" {
                let answer = send(&mut client, &endpoint, &server.headers(token)).await;
                let place = format!("{} {} {token}", endpoint.method, endpoint.path);
                assert!([200, 404].contains(&answer.code), "{place}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn unknown_tokens_are_limited_and_valid_ones_are_not() {
    let server = start().await;
    let mut client = server.connect().await;
    let wrong = server.headers("wrong");
    let mut codes = Vec::new();
    for _ in 0..30 {
        codes.push(client.send("GET", "/version", &wrong).await.code);
    }
    assert_eq!(codes[..10], [401; 10]);
    assert!(codes[10..].contains(&429), "{codes:?}");
    let answer = client.send("GET", "/version", &wrong).await;
    if answer.code == 429 {
        assert!(answer.head.contains("retry-after: "), "{answer:?}");
    }
    assert_eq!(client.send("GET", SERVICES, &server.headers(VIEW)).await.code, 200);
}

#[tokio::test]
async fn old_and_unusual_requests_need_a_host() {
    let server = start().await;
    let token = format!("authorization: Bearer {}\r\n", server.token);
    for (request, expected) in [
        ("GET /api/v1/services HTTP/1.0\r\n", 400),
        ("GET /api/v1/services HTTP/1.0\r\nhost: 127.0.0.1\r\n", 200),
        ("GET /api/v1/services HTTP/1.1\r\n", 400),
        ("GET /api/v1/services HTTP/1.1\r\nhost: LOCALHOST.:1\r\n", 200),
        ("GET /api/v1/services HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n", 400),
        ("GET https://evil.example/api/v1/services HTTP/1.1\r\nhost: localhost\r\n", 421),
        ("GET https://localhost/api/v1/services HTTP/1.1\r\nhost: localhost\r\n", 200),
        ("GET /api/v1/services HTTP/1.1\r\nhost: [::1]\r\n", 200),
        ("GET /api/v1/services HTTP/1.1\r\nhost: [::2]\r\n", 421),
    ] {
        let mut client = server.connect().await;
        client.write(&format!("{request}{token}\r\n")).await;
        assert_eq!(client.read_answer().await.code, expected, "{request}");
    }
}

#[tokio::test]
async fn changed_file_of_tokens_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    write_secret(&tokens, &format!("v view {VIEW}\n"));
    let server = TestServer::start(|builder| builder.tokens_file(&tokens)).await;
    let code = async |token: &str| {
        let mut client = server.connect().await;
        client.send("GET", SERVICES, &server.headers(token)).await.code
    };
    assert_eq!((code(VIEW).await, code(EDIT).await), (200, 401));
    write_secret(&tokens, &format!("e edit {EDIT}\n"));
    wait_until(async || code(EDIT).await == 200).await;
    assert_ne!(code(VIEW).await, 200);
    assert_eq!(code(&server.token).await, 200);
}
