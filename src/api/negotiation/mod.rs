//! Negotiation of the form in which objects and documents are answered.

mod form;
mod media_range;

pub(super) use self::form::{Encoding, Form, Offer, Shape};
