//! Courier: whether who has an account can write whole messages of imapd. Pure.

use crate::check::finding::Finding;

/// What imapd logs of ID with the newlines in it, if this is in its environment, whatever its value (imap/imapd.C: doId).
const SETTING: &str = "IMAP_ID_FIELDS";

/// An error for each file that sets it; the files are read by a shell (courier-imap's imapd.rc).
pub(super) fn judge(files: &[(String, String)]) -> Vec<Finding> {
    let sets = |line: &str| {
        let line = line.trim_start();
        let assignment = line.strip_prefix("export ").unwrap_or(line).trim_start();
        assignment.strip_prefix(SETTING).is_some_and(|rest| rest.starts_with('='))
    };
    let error = |(name, _): &(String, String)| {
        Finding::error(
            format!(
                "{SETTING} is set in {name}: who has an account writes whole messages of imapd, and so can grant any address"
            ),
            format!("take {SETTING} out of {name} and start Courier's imapd again"),
        )
    };
    files.iter().filter(|(_, text)| text.lines().any(sets)).map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Level, assert_told, assert_well};

    #[test]
    fn what_lets_an_account_write_messages_is_told() {
        let told = |text: &str| judge(&[("/etc/courier/imapd".to_owned(), text.to_owned())]);
        for text in
            ["IMAP_ID_FIELDS=\"name\"", "ADDRESS=0\nIMAP_ID_FIELDS=0\n", "  export IMAP_ID_FIELDS=1", "IMAP_ID_FIELDS="]
        {
            assert_told(&told(text), Level::Error, "IMAP_ID_FIELDS is set in /etc/courier/imapd: who has an account");
        }
        for text in ["", "# IMAP_ID_FIELDS=1", "#IMAP_ID_FIELDS=1", "IMAP_ID_FIELDS_X=1", "X=IMAP_ID_FIELDS=1"] {
            assert_well(&told(text));
        }
    }
}
