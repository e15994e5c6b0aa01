//! In place of all this, in a program that was built without the feature postgres.

use std::convert::Infallible;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::Standing;
use crate::config::share::Settings;
use crate::grants::Grants;
use crate::output::error::{Error, Exit};
use crate::time::Now;

/// There is none.
pub(crate) struct Share(Infallible);

impl Share {
    pub(crate) fn start(_: &Settings, _: &mut Grants) -> Result<Self, Error> {
        Err(missing())
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    pub(crate) fn has_more(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn turn(&mut self, _: &Now, _: &mut Grants) {
        match self.0 {}
    }

    pub(crate) fn standing(&self) -> Standing {
        match self.0 {}
    }

    pub(crate) fn stop(&mut self, _: Duration) {
        match self.0 {}
    }
}

/// The commands, which cannot do anything.
pub(crate) mod admin {
    use std::time::Duration;

    use ipnet::IpNet;

    use super::{Error, Settings, missing};
    use crate::share::Row;

    pub(crate) fn init(_: &Settings, _: Duration) -> Result<(), Error> {
        Err(missing())
    }

    pub(crate) fn decide(_: &Settings, _: &'static str, _: IpNet) -> Result<(), Error> {
        Err(missing())
    }

    pub(crate) fn all(_: &Settings, _: impl FnMut(Row)) -> Result<(), Error> {
        Err(missing())
    }

    pub(crate) fn probe(_: &Settings) -> Result<String, String> {
        Err(missing().to_string())
    }
}

fn missing() -> Error {
    Error::new(Exit::Config, "use --share-url", "this program was built without the feature postgres")
        .cure("install a package that has it, or build with --features postgres")
}
