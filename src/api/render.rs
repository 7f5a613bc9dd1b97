//! Renders answers in the form that was negotiated.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WARNING, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::access::Session;
use super::answer::{Answer, Content};
use super::body::ResponseBody;
use super::list::list_body;
use super::negotiation::{Encoding, Form, Shape};
use super::request::{ResourceRequest, Verb};
use super::status::{Reason, Status};
use super::warning::warning_value;
use super::yaml_text::yaml_text;
use crate::admission::convert_to_served;
use crate::model::Timestamp;
use crate::schema::{RowObject, TableOptions, partial_object, table};

/// Renders the answer to a request for objects.
pub(super) fn render(
    answer: Result<Answer, Status>,
    request: &ResourceRequest,
    form: Form,
    options: TableOptions,
    session: &Session,
) -> Response<ResponseBody> {
    let answer = answer.unwrap_or_else(Answer::status);
    let code = answer.code;
    let mut response = match answer.content {
        Content::Status(status) => status_response(&status, form.encoding),
        Content::Object(object) => {
            let object = render_object(object, request, form.shape, options);
            document(code, &object, form.encoding)
        }
        Content::List(list) => {
            encoded(code, list_body(*list, request, form, options, session), form.encoding)
        }
    };
    *response.status_mut() = code;
    add_warnings(&mut response, &answer.warnings);
    response
}

fn add_warnings(response: &mut Response<ResponseBody>, warnings: &[String]) {
    for value in warnings.iter().filter_map(|text| warning_value(text)) {
        response.headers_mut().append(WARNING, value);
    }
}

/// Renders a Status.
pub(super) fn status_response(status: &Status, encoding: Encoding) -> Response<ResponseBody> {
    let value = serde_json::to_value(status).unwrap_or_default();
    let mut response = document(status.code(), &value, encoding);
    let headers = response.headers_mut();
    if let Some(seconds) = status.retry_after_seconds() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if status.code() == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Renders a value.
pub(super) fn document(
    code: StatusCode,
    value: &Value,
    encoding: Encoding,
) -> Response<ResponseBody> {
    let text = match encoding {
        Encoding::Json => format!("{value}\n"),
        Encoding::Yaml => yaml_text(value),
    };
    encoded(code, ResponseBody::full(text), encoding)
}

fn encoded(code: StatusCode, body: ResponseBody, encoding: Encoding) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// Checks that the answer to a request has the form that was negotiated, and returns the options of
/// tables. It comes before a write, which must not be carried out and then be refused.
pub(super) fn check_form(
    request: &ResourceRequest,
    shape: Shape,
    now: Timestamp,
) -> Result<TableOptions, Status> {
    let is_list = matches!(request.verb, Verb::List | Verb::DeleteCollection);
    let message = match shape {
        Shape::PartialObject if is_list => {
            "you requested PartialObjectMetadata, but the requested object is a list"
        }
        Shape::PartialObjectList if !is_list => {
            "you requested PartialObjectMetadataList, but the requested object is not a list"
        }
        Shape::Table => return table_options(request, now),
        _ => return Ok(TableOptions::new(now)),
    };
    Err(Status::failure(Reason::NotAcceptable, message))
}

/// Reads the parameter `includeObject` of tables.
pub(super) fn table_options(
    request: &ResourceRequest,
    now: Timestamp,
) -> Result<TableOptions, Status> {
    let text = request.query.get("includeObject").unwrap_or_default();
    let row_object = RowObject::parse(text).ok_or_else(|| {
        let expected = "expected None, Metadata or Object";
        Status::bad_request(format!("parameter includeObject is {text:?}; {expected}"))
    })?;
    Ok(TableOptions { row_object, ..TableOptions::new(now) })
}

fn render_object(
    mut object: Value,
    request: &ResourceRequest,
    shape: Shape,
    options: TableOptions,
) -> Value {
    convert_to_served(&mut object, request.resource, request.version);
    match shape {
        Shape::Object | Shape::PartialObjectList | Shape::Discovery => object,
        Shape::PartialObject => partial_object(&object),
        Shape::Table => {
            let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            table(request.version, [&object], metadata, options)
        }
    }
}
