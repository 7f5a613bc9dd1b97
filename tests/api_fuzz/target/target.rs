//! An execution: the requests of an input, and the checks after each of them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::{Body as _, Bytes};
use sluicegate::api::{ResponseBody, Role};
use sluicegate::schema;
use sluicegate::store::StoredObject;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tower::ServiceExt as _;

use super::address::Address;
use super::answer::check_answer;
use super::changes::check_changes;
use super::input::{Input, RawRequest};
use super::watch::OpenWatch;
use super::world::{TOKENS, World};

/// The target of a fuzzer. It keeps its objects for the next input unless an input changes them.
pub(crate) struct Target {
    runtime: Runtime,
    world: Option<World>,
}

/// A request with its answer, and all objects before and after it.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) request: &'a RawRequest,
    pub(super) address: Address,
    /// Role of the token, if the request has exactly one and it is known.
    pub(super) role: Option<Role>,
    pub(super) before: Vec<Arc<StoredObject>>,
    pub(super) after: Vec<Arc<StoredObject>>,
    pub(super) code: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The body of the answer has not ended.
    pub(super) is_open: bool,
}

impl Target {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        Self { runtime: runtime.expect("a runtime starts"), world: None }
    }

    /// Sends the requests of an input, and returns the codes of the answers; 0 is a request that no
    /// server hands to the service.
    ///
    /// # Errors
    /// Returns the invariant that does not hold.
    pub(crate) fn run(&mut self, input: &Input) -> Result<Vec<u16>, String> {
        let world = match self.world.take() {
            Some(world) => world,
            None => self.runtime.block_on(World::new()),
        };
        let revision = world.store.revision();
        // Tokio's cooperative budget would make a body pending that still has data to send.
        let execution = tokio::task::unconstrained(execute(&world, input));
        let result = self.runtime.block_on(execution);
        if result.is_ok() && world.store.revision() == revision {
            self.world = Some(world);
        }
        result
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

async fn execute(world: &World, input: &Input) -> Result<Vec<u16>, String> {
    let mut codes = Vec::new();
    let mut watches = Vec::new();
    let start = world.objects();
    let text = input.to_bytes();
    for (index, request) in input.0.iter().enumerate() {
        let Some(http) = request.to_http() else {
            codes.push(0);
            continue;
        };
        let uri = http.uri().clone();
        let before = world.objects();
        let revision = world.store.revision();
        let response = send(world, http).await;
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let is_open = read(&mut body, &mut bytes).await;
        if world.store.revision() != revision {
            world.settle().await;
        }
        let exchange = Exchange {
            request,
            address: Address::parse(uri.path(), uri.query().unwrap_or_default()),
            role: role(request),
            before,
            after: world.objects(),
            code: parts.status.as_u16(),
            headers: parts.headers,
            body: bytes,
            is_open,
        };
        let at = |problem| format!("request {index}: {problem}; {}", describe(&exchange));
        codes.push(exchange.code);
        check_answer(&exchange, &text).map_err(at)?;
        check_changes(&exchange).map_err(at)?;
        if is_open {
            watches.push(OpenWatch::new(&exchange, uri, revision, body)?);
        }
    }
    for watch in watches {
        watch.check(world).await?;
    }
    check_objects(world, &start).await?;
    Ok(codes)
}

fn describe(exchange: &Exchange<'_>) -> String {
    let text = String::from_utf8_lossy(&exchange.body);
    format!("answered {}: {}", exchange.code, text.chars().take(2000).collect::<String>())
}

/// Returns the role of the token of a request.
fn role(request: &RawRequest) -> Option<Role> {
    let mut headers =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"authorization"));
    let (Some((_, value)), None) = (headers.next(), headers.next()) else { return None };
    let is_sent = |token: &str| value.ends_with(token.as_bytes());
    TOKENS.iter().find(|(token, _)| is_sent(token)).map(|(_, role)| *role)
}

pub(super) async fn send(world: &World, request: Request<Full<Bytes>>) -> Response<ResponseBody> {
    match world.service.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Reads the available part of a body. Returns `true` if the body has not ended.
pub(super) async fn read(body: &mut ResponseBody, bytes: &mut Vec<u8>) -> bool {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    // A body that wakes its task while it is polled has more.
    while woken.0.swap(false, Ordering::Relaxed) {
        while let Poll::Ready(frame) =
            Pin::new(&mut *body).poll_frame(&mut Context::from_waker(&waker))
        {
            match frame {
                Some(Ok(frame)) => {
                    bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
                }
                Some(Err(error)) => panic!("incomplete body: {error}"),
                None => return false,
            }
        }
        // The stream of a watch calls tokio's `yield_now`. The runtime wakes it only after this task
        // has yielded too.
        yield_now().await;
    }
    true
}

/// Waker that records that it was used.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Checks that objects that were changed can be read in all versions, and written back.
async fn check_objects(world: &World, start: &[Arc<StoredObject>]) -> Result<(), String> {
    for object in world.objects() {
        if start.iter().any(|known| Arc::ptr_eq(known, &object)) {
            continue;
        }
        let stored = object.key().resource();
        let resources = schema::resources().iter().filter(|resource| {
            resource.storage_group() == stored.group() && resource.plural() == stored.plural()
        });
        for resource in resources {
            for version in resource.versions() {
                let root = if resource.group().is_empty() { "/api" } else { "/apis" };
                let namespace = object.key().namespace();
                let url = format!(
                    "{root}/{}{}/{}/{}",
                    resource.api_version(version),
                    namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default(),
                    resource.plural(),
                    object.key().name(),
                );
                let text = answer(world, "GET", &url, &[]).await?;
                // Events of the other group need fields that those of the core group do not.
                if resource.group() == stored.group() {
                    answer(world, "PUT", &format!("{url}?dryRun=All"), &text).await?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the body of a request of an administrator, which must succeed.
pub(super) async fn answer(
    world: &World,
    method: &str,
    url: &str,
    body: &[u8],
) -> Result<Vec<u8>, String> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {}", TOKENS[3].0))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(|error| format!("{method} {url} is no request: {error}"))?;
    let response = send(world, request).await;
    let code = response.status();
    let mut bytes = Vec::new();
    let is_open = read(&mut response.into_body(), &mut bytes).await;
    if code == 200 && !is_open {
        return Ok(bytes);
    }
    let [sent, found] = [body, &bytes].map(String::from_utf8_lossy);
    Err(format!("{method} {url} of a stored object is answered {code}: {found}; body: {sent}"))
}
