//! A server of Kubernetes' API for the resources of [`schema`](crate::schema), over a
//! [`Store`](crate::store::Store).
