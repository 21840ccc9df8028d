//! Turns an API description into an [`Inventory`] of [`Operation`]s.
//!
//! Real descriptions are wrong in every way a document can be wrong, so nothing here fails on an
//! odd one: a description stays a generic JSON value, [`Schema`] is a lazy view of one place in
//! it, and whatever is odd becomes a [`Warning`] with the JSON pointer where it stands. Only bytes
//! that are no API description at all are an error ([`NotADescription`]).
//!
//! Nothing here touches the network or a clock. Documents that a description refers to come
//! through the [`Loader`] that the caller passes.

mod description;
mod discovery;
mod examples;
mod gather;
mod loader;
mod openapi;
mod operation;
mod parameters;
mod pattern;
mod read;
mod reader;
mod sample;
mod schema;
mod security;
mod serialize;
mod swagger;
mod undeclared;
mod warning;

pub use crate::description::{Description, SchemaRef};
pub use crate::discovery::{description_links, looks_like_description, usual_places};
pub use crate::loader::{Folder, Loader, NoLoader};
pub use crate::openapi::parse;
pub use crate::operation::{
    Counts, Format, Inventory, KEPT_OF_A_DESCRIPTION, Media, Operation, Parameter, ParameterLocation, ParameterStyle,
    RequestBody, Requirement, ResponseSpec, Security, SecurityScheme, Server, is_of_template, response_schema,
};
pub use crate::read::{MAX_DOCUMENT_BYTES, NotADescription};
pub use crate::sample::{Direction, sample};
pub use crate::schema::{Additional, Schema};
pub use crate::serialize::serialize_parameter;
pub use crate::undeclared::undeclared;
pub use crate::warning::Warning;
