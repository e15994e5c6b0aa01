//! Files beside the map.

pub mod denied;
pub mod lock;
pub mod overrides;
pub mod private_file;
pub mod privdrop;
pub mod regular_file;
pub mod state;
