//! stub
use std::net::IpAddr;
/// a
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// l
    Login,
    /// l
    Logout,
}
/// e
#[derive(Debug)]
pub struct Event<'l> {
    /// a
    pub action: Action,
    /// a
    pub client: IpAddr,
    /// a
    pub user: Option<&'l [u8]>,
    /// a
    pub matcher: &'static str,
}
/// m
pub struct Matcher {
    /// m
    pub name: &'static str,
    /// m
    pub servers: &'static str,
}
/// m
pub struct Matchers;
/// u
pub struct UnknownMatcher {
    /// n
    pub name: String,
}
impl Matchers {
    /// a
    pub fn all() -> Self {
        Self
    }
    /// s
    pub fn select<'a>(_: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownMatcher> {
        Ok(Self)
    }
    /// e
    pub fn event<'l>(&mut self, line: &'l [u8]) -> Option<Event<'l>> {
        let s = std::str::from_utf8(line).ok()?;
        Some(Event {
            action: Action::Login,
            client: s.strip_prefix("login ")?.parse().ok()?,
            user: Some(b"u"),
            matcher: "x",
        })
    }
    /// f
    pub fn forget(&mut self) {}
}
/// b
pub fn builtin() -> &'static [Matcher] {
    &[Matcher { name: "dovecot", servers: "2" }]
}
/// n
pub fn names() -> impl Iterator<Item = &'static str> {
    builtin().iter().map(|m| m.name)
}
