//! The tables of sockets in /proc/net: which of them take what others send. Pure.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How lines come over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Datagrams, whose sender may be forged.
    Udp,
    /// Connections.
    Tcp,
}

/// A socket that anybody may send to who can reach its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    /// How lines come.
    pub(crate) transport: Transport,
    /// The address it is bound to.
    pub(crate) address: IpAddr,
    /// Its port.
    pub(crate) port: u16,
}

impl Listen {
    /// Whether other hosts can reach it.
    pub(crate) fn is_open(&self) -> bool {
        !self.address.to_canonical().is_loopback()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = if self.transport == Transport::Udp { "UDP" } else { "TCP" };
        write!(f, "{transport} {}", std::net::SocketAddr::new(self.address, self.port))
    }
}

/// State of a TCP socket that waits for connections (include/net/tcp_states.h of Linux).
const LISTENING: &str = "0A";

/// The sockets of `/proc/net/udp`, `udp6`, `tcp` or `tcp6` that take what comes, with their inodes (proc(5)). A UDP socket
/// whose port the kernel has chosen (`ephemeral`, `/proc/sys/net/ipv4/ip_local_port_range`) is one that sends.
pub(crate) fn listening(table: &str, transport: Transport, ephemeral: (u16, u16)) -> Vec<(u64, Listen)> {
    let takes = |port: u16, state: &str| match transport {
        Transport::Udp => port != 0 && !(ephemeral.0..=ephemeral.1).contains(&port),
        Transport::Tcp => state == LISTENING,
    };
    let socket = |line: &str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (address, port) = local.split_once(':')?;
        let (address, port) = (parse(address)?, u16::from_str_radix(port, 16).ok()?);
        takes(port, state).then_some((inode.parse().ok()?, Listen { transport, address, port }))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

/// The kernel prints each word of four bytes as a number of its own.
fn parse(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?).into())
        }
        _ => None,
    }
}

/// The inodes of the sockets at which the programs of this system log, in `/proc/net/unix`: syslog(3)'s, and the one at
/// which systemd hands messages on.
pub(crate) fn logging(table: &str) -> HashSet<u64> {
    let inode = |line: &str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let is_logging = ["/dev/log", "/run/systemd/journal/syslog"].contains(fields.get(7)?);
        is_logging.then_some(fields.get(6)?.parse().ok()?)
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const UDP: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1207: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 27573 2 0000000000000000 0
 1208: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 27574 2 0000000000000000 0
 1209: 00000000:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 27575 2 0000000000000000 0
";
    const TCP6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0202 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:0202 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0000000000000000 100 0 0 10 0
   2: 00000000000000000000000001000000:0202 00000000000000000000000001000000:9C40 01 00000000:00000000 00:00000000 00000000     0        0 11 1 0000000000000000 100 0 0 10 0
   3: 0000000000000000FFFF00000100007F:0202 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0000000000000000 100 0 0 10 0
";

    #[test]
    fn sockets_that_take_what_comes_are_found() {
        let range = (32768, 60999);
        let told = |table: &str, transport| {
            let shown = |(inode, listen): (u64, Listen)| format!("{inode} {listen} {}", listen.is_open());
            listening(table, transport, range).into_iter().map(shown).collect::<Vec<_>>()
        };
        assert_eq!(told(UDP, Transport::Udp), ["27573 UDP 0.0.0.0:514 true", "27574 UDP 127.0.0.1:514 false"]);
        assert_eq!(
            told(TCP6, Transport::Tcp),
            ["9 TCP [::]:514 true", "10 TCP [::1]:514 false", "12 TCP [::ffff:127.0.0.1]:514 false"]
        );
        assert!(told("", Transport::Udp).is_empty() && told("x\ny\n1: zz:q 0 0\n", Transport::Udp).is_empty());
    }

    #[test]
    fn the_socket_of_syslog_is_found() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                     0000000000000000: 00000002 00000000 00000000 0002 01 28464 /dev/log\n\
                     0000000000000000: 00000002 00000000 00000000 0002 01 28465 /run/systemd/journal/syslog\n\
                     0000000000000000: 00000002 00000000 00000000 0002 01 28466 /home/mallory/dev/log\n\
                     0000000000000000: 00000003 00000000 00000000 0001 03 28467\n";
        assert_eq!(logging(table), HashSet::from([28464, 28465]));
    }
}
