//! The lock of a Postfix lookup, kept.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// Takes a shared lock on a table as Postfix does, of the process, says `ready`, and keeps it until standard input ends.
pub(crate) fn hold_lock(table: impl AsRef<Path>) {
    let file = File::open(table).expect("the table");
    let shared =
        libc::flock { l_type: libc::F_RDLCK as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&file, FcntlArg::F_SETLK(&shared)).expect("the lock");
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).expect("the input");
}
