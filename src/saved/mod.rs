//! Files beside the map.

pub(crate) mod denied;
pub(crate) mod lock;
pub(crate) mod overrides;
pub(crate) mod private_file;
pub mod privdrop;
pub(crate) mod regular_file;
pub(crate) mod state;
