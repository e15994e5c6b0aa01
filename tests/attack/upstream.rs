//! The servers behind the proxies: an IMAP and a POP3 server that let one account in, and nginx's auth_http.

use super::talk::USER;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// Listens at the ports that the scripts of the servers name, for as long as the process runs.
pub(super) fn start() {
    for (port, serve) in [(9143, imap as fn(TcpStream) -> io::Result<()>), (9110, pop3), (9080, auth_http)] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port of a network of our own");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(stream));
            }
        });
    }
}

/// The next line, without its end.
fn line(reader: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_ascii_end().to_vec())
}

fn imap(stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    writer.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
    loop {
        let mut command = line(&mut reader)?;
        while let Some(length) = literal(&command) {
            writer.write_all(b"+ go ahead\r\n")?;
            let mut text = vec![0; length];
            reader.read_exact(&mut text)?;
            command = [&command[..], &text, &line(&mut reader)?].concat();
        }
        let tag = command.split(|&byte| byte == b' ').next().unwrap_or_default();
        let is_login = command[tag.len()..].to_ascii_uppercase().starts_with(b" LOGIN");
        let refused = is_login && memchr::memmem::find(&command, USER.as_bytes()).is_none();
        if memchr::memmem::find(&command, b"CAPABILITY").is_some() {
            writer.write_all(b"* CAPABILITY IMAP4rev1\r\n")?;
        }
        writer.write_all(&[tag, if refused { b" NO no\r\n" } else { b" OK yes\r\n" }].concat())?;
    }
}

/// How long a literal is that the command ends with.
fn literal(command: &[u8]) -> Option<usize> {
    let command = command.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', command)?;
    str::from_utf8(&command[open + 1..]).ok()?.trim_end_matches('+').parse().ok()
}

fn pop3(stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    writer.write_all(b"+OK ready\r\n")?;
    let mut known = false;
    loop {
        let command = line(&mut reader)?;
        let named = command.starts_with(b"USER ");
        if named {
            known = command[5..] == *USER.as_bytes();
        }
        writer.write_all(if known || named { b"+OK\r\n" } else { b"-ERR no\r\n" })?;
    }
}

/// ngx_mail_auth_http_module's protocol.
fn auth_http(stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    let (mut known, mut port) = (false, 9110);
    loop {
        match &line(&mut reader)?[..] {
            b"" => break,
            b"Auth-Protocol: imap" => port = 9143,
            header => known |= header == format!("Auth-User: {USER}").as_bytes(),
        }
    }
    let status = if known { "OK" } else { "Invalid login" };
    write!(
        writer,
        "HTTP/1.0 200 OK\r\nAuth-Status: {status}\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: {port}\r\nAuth-Wait: 0\r\n\r\n"
    )
}
