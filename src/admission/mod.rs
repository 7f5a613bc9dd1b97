//! Checks and changes of objects before they are stored, as an API server does them.

#[cfg(feature = "api")]
mod catalog;

#[cfg(feature = "api")]
pub use self::catalog::catalog;
