//! What `check` has found about one thing, and what to do about it. Pure.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, or would, but not as well as it should.
    Warning,
    /// It does not work, or lets strangers relay.
    Error,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) level: Level,
    text: String,
    cure: String,
}

impl Finding {
    /// All is well.
    pub(crate) fn ok(text: impl fmt::Display) -> Self {
        Self { level: Level::Ok, text: text.to_string(), cure: String::new() }
    }

    /// What should be changed, and how.
    pub(crate) fn warning(text: impl fmt::Display, cure: impl fmt::Display) -> Self {
        Self { level: Level::Warning, text: text.to_string(), cure: cure.to_string() }
    }

    /// What must be changed, and how.
    pub(crate) fn error(text: impl fmt::Display, cure: impl fmt::Display) -> Self {
        Self { level: Level::Error, text: text.to_string(), cure: cure.to_string() }
    }

    /// As bad as `level` says, and what is to be done about it.
    pub(crate) fn new(level: Level, text: impl fmt::Display, cure: impl fmt::Display) -> Self {
        Self { level, text: text.to_string(), cure: cure.to_string() }
    }

    /// `ok`, `warning` or `error`.
    pub(crate) fn word(&self) -> &'static str {
        match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// What follows the word: one line, whatever stands in a configuration file.
    pub(crate) fn sentence(&self) -> String {
        let line = if self.cure.is_empty() { self.text.clone() } else { format!("{}; {}", self.text, self.cure) };
        line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word(), self.sentence())
    }
}

/// Fails the test unless one of the findings is of this level and says this.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_told(findings: &[Finding], level: Level, text: &str) {
    let told = findings.iter().any(|finding| finding.level == level && finding.to_string().contains(text));
    let all: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(told, "no {level:?} with {text:?} in {all:#?}");
}

/// Fails the test unless all is well.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_well(findings: &[Finding]) {
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::warning("main.cf says\n\"x\"", "write y");
        assert_eq!(finding.to_string(), "warning: main.cf says \"x\"; write y");
        assert_eq!(Finding::ok("fine").to_string(), "ok: fine");
    }
}
