//! The service: from a request to its answer.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, WARNING};
use http::{HeaderMap, Method, Request, Response};
use hyper::body::{Body, Bytes};
use tower::Service;

use super::access::{Access, Session};
use super::body::{self, ResponseBody};
use super::context::Context;
use super::documents;
use super::heavy_work::{HeavyWork, is_heavy};
use super::negotiation::{Encoding, Form, Offer};
use super::read;
use super::render::{check_form, render, status_response};
use super::request::{Attributes, Query, ResourceRequest, Target, Verb};
use super::settings::Settings;
use super::status::Status;
use super::warning::warning_value;
use super::write;
use crate::model::Timestamp;
use crate::store::Store;

/// The API of Kubernetes over a store, as a [`tower::Service`] that an embedder can mount.
///
/// Every request is checked by [`Access`] first. The service never fails: each answer is an HTTP
/// response, and failures are objects of the kind `Status`. A clone shares the store and the
/// limits.
///
/// The service needs a tokio runtime with its timer, of one thread or of several. Requests with
/// large bodies or objects, and lists with a selector of fields other than name and namespace, are
/// worked on in blocking tasks of the runtime, two reads and two writes at a time; each other one,
/// and each chunk of a list, needs little CPU time. A program that does more than serving the API
/// should give the service a runtime of its own.
///
/// ```
/// use http::{Request, StatusCode};
/// use http_body_util::{BodyExt, Empty};
/// use hyper::body::Bytes;
/// use sluicegate::admission;
/// use sluicegate::api::{Access, ApiService, Role, Settings, Token};
/// use sluicegate::store::{self, Store};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = Store::in_memory(admission::catalog(), store::Settings::new())?;
/// let token: Token = "0123456789abcdef0123456789abcdef".parse()?;
/// let access = Access::builder()
///     .token("example", Role::View, &token)
///     .host("localhost".parse()?)
///     .build()?;
/// let service = ApiService::new(store, access, Settings::new());
///
/// let request = Request::get("/api/v1/namespaces/default")
///     .header("host", "localhost")
///     .header("authorization", "Bearer 0123456789abcdef0123456789abcdef")
///     .body(Empty::<Bytes>::new())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// let body = response.into_body().collect().await?.to_bytes();
/// let namespace: serde_json::Value = serde_json::from_slice(&body)?;
/// assert_eq!(namespace["metadata"]["name"], "default");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct ApiService(Arc<Inner>);

struct Inner {
    context: Arc<Context>,
    heavy_work: HeavyWork,
    access: Access,
}

type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

impl ApiService {
    /// Creates the service of a store, whose catalog is that of
    /// [`admission::catalog`](crate::admission::catalog()).
    pub fn new(store: Store, access: Access, settings: Settings) -> Self {
        let context = Arc::new(Context::new(store, settings));
        Self(Arc::new(Inner { context, heavy_work: HeavyWork::new(), access }))
    }
}

impl fmt::Debug for ApiService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiService").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for ApiService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let inner = self.0.clone();
        Box::pin(async move { Ok(inner.respond(request).await) })
    }
}

impl Inner {
    async fn respond<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let attributes = Attributes::new(&parts, &query);
        let response = match self.access.check(&parts, &attributes) {
            Err(status) => Err(status),
            Ok(session) => match attributes.target {
                Target::Health(segments) => documents::health(&segments, attributes.verb, &query),
                Target::Document(segments) => {
                    documents::document(&segments, attributes.verb, &query, &parts)
                }
                Target::Unknown => Err(Status::path_not_found()),
                Target::Resource(path) => {
                    let content_type = header(&parts.headers, CONTENT_TYPE.as_str());
                    let catalog = self.context.store.catalog();
                    let found =
                        ResourceRequest::find(path, attributes.verb, query, content_type, catalog);
                    match found {
                        Ok(request) => self.serve(request, &session, &parts.headers, body).await,
                        Err(not_served) => Err(Status::not_served(&not_served)),
                    }
                }
            },
        };
        let response = response.unwrap_or_else(|status| status_response(&status, Encoding::Json));
        if parts.method == Method::HEAD { without_body(response) } else { response }
    }

    /// Answers a request for objects.
    async fn serve<B>(
        &self,
        request: ResourceRequest,
        session: &Session,
        headers: &HeaderMap,
        body: B,
    ) -> Result<Response<ResponseBody>, Status>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let context = &self.context;
        if request.verb == Verb::Watch {
            let form = Form::negotiate(headers, Offer::Watch)?;
            return Ok(with_deprecation(read::watch(context, &request, form, session)?, &request));
        }
        let form = Form::negotiate(headers, Offer::Objects)?;
        let options = check_form(&request, form.shape, Timestamp::now())?;
        let body = if request.verb.is_read() {
            Bytes::new()
        } else {
            let settings = &context.settings;
            match body::read(body, settings.max_body_bytes, settings.body_timeout).await {
                Ok(body) => body,
                Err(status) => {
                    let response = render(Err(status), &request, form, options, session);
                    return Ok(with_deprecation(response, &request));
                }
            }
        };
        let (verb, is_heavy) = (request.verb, is_heavy(context, &request, body.len()));
        let (context, user) = (context.clone(), session.clone());
        let answered = async move {
            let answer = match request.verb {
                Verb::Get => read::get(&context, &request),
                Verb::List | Verb::Watch => read::list(&context, &request),
                Verb::Create
                | Verb::Update
                | Verb::Patch
                | Verb::Delete
                | Verb::DeleteCollection => write::write(&context, &request, body).await,
            };
            with_deprecation(render(answer, &request, form, options, &user), &request)
        };
        if is_heavy {
            self.heavy_work.run(verb, session.identity(), answered).await
        } else {
            Ok(answered.await)
        }
    }
}

/// Adds the warning of a deprecated version.
fn with_deprecation(
    mut response: Response<ResponseBody>,
    request: &ResourceRequest,
) -> Response<ResponseBody> {
    let warning = request.version.deprecation_warning();
    if let Some(value) = warning.and_then(warning_value) {
        response.headers_mut().append(WARNING, value);
    }
    response
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Removes the body of an answer to HEAD, and keeps its length.
fn without_body(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response.map(|_| ResponseBody::empty())
}
