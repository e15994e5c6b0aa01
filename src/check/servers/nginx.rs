//! nginx: whether somebody in a name server's place can write newlines into its messages. Pure.

use std::net::{IpAddr, SocketAddr};

use crate::check::finding::Finding;

/// A warning for each file that names a name server elsewhere: nginx logs the name in an answer that it did not ask for, `unexpected
/// DNS response for NAME`, as it came (src/core/ngx_resolver.c).
pub(super) fn judge(files: &[(String, String)]) -> Vec<Finding> {
    let warning = |(name, text): &(String, String)| {
        let elsewhere = resolvers(text).into_iter().filter(|server| !is_here(server)).collect::<Vec<_>>();
        (!elsewhere.is_empty()).then(|| {
            Finding::warning(
                format!(
                    "nginx asks {} for names (resolver in {name}): who can answer in its place writes newlines into nginx's \
                     messages, in unexpected DNS response",
                    elsewhere.join(", ").escape_debug()
                ),
                "write 'resolver 127.0.0.1;' and run a name server on this host, or let a syslog daemon write the log that \
                 escapes newlines",
            )
        })
    };
    files.iter().filter_map(warning).collect()
}

/// The servers that `resolver` names.
fn resolvers(text: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let servers = |statement: &str| {
        let mut words = statement.split_whitespace();
        let is_it = words.next() == Some("resolver");
        words.filter(|word| is_it && !word.contains('=') && *word != "off").map(str::to_owned).collect::<Vec<_>>()
    };
    code.split([';', '{', '}']).flat_map(servers).collect()
}

/// Whether it is this host; a name could be any.
fn is_here(server: &str) -> bool {
    let bare = server.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().or_else(|_| server.parse().map(|socket: SocketAddr| socket.ip()));
    address.is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Level, assert_told, assert_well};

    #[test]
    fn a_name_server_elsewhere_is_told() {
        let told = |text: &str| judge(&[("/etc/nginx/nginx.conf".to_owned(), text.to_owned())]);
        for (text, servers) in [
            ("mail {\n resolver 192.0.2.53;\n}", "192.0.2.53"),
            (
                "http { resolver 127.0.0.1 [2001:db8::53]:53 valid=30s\n dns.example.net; }",
                "[2001:db8::53]:53, dns.example.net",
            ),
        ] {
            assert_told(
                &told(text),
                Level::Warning,
                &format!("nginx asks {servers} for names (resolver in /etc/nginx/nginx.conf): who can"),
            );
        }
        for text in [
            "",
            "mail { resolver 127.0.0.1:5353 [::1] [::1]:53 ipv6=off; }",
            "mail { resolver off; }",
            "# resolver 192.0.2.53;",
            "resolver_timeout 5s;",
        ] {
            assert_well(&told(text));
        }
    }
}
