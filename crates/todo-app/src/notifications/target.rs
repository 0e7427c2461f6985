//! Where webhooks and push messages may go: into the public network alone, unless the operator allows more.
//!
//! A user chooses these addresses and the service calls them, so an address inside must not be reachable through it.
//! Names are judged as they are written; to what a name resolves is judged by the host that makes the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::http::Uri;

/// The most characters of an address.
pub const MAX_URL: usize = 2048;

/// Which targets are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// `https` to public hosts.
    Public,
    /// `http` and `https` to any host, as for tests and closed networks.
    Any,
}

/// Why something is no target. Its text says what to use instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Not an absolute address.
    #[error("use an absolute URL of at most 2048 characters, such as https://hooks.example.com/todo")]
    NotAnUrl,
    /// Another scheme.
    #[error("use https")]
    Scheme,
    /// A name or password in the address.
    #[error("leave out the user name: tell receivers apart by the path")]
    UserInfo,
    /// A host that is not in the public network.
    #[error("use a public host: private, local and reserved addresses are refused")]
    Private,
}

/// Checks an address, and gives what to connect to.
///
/// # Errors
/// The first reason against it.
pub fn check(url: &str, targets: Targets) -> Result<Uri, InvalidTarget> {
    if url.len() > MAX_URL || url.contains('#') {
        return Err(InvalidTarget::NotAnUrl);
    }
    let uri: Uri = url.parse().map_err(|_| InvalidTarget::NotAnUrl)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(InvalidTarget::NotAnUrl);
    };
    let known = scheme == "https" || (scheme == "http" && targets == Targets::Any);
    if !known {
        return Err(if targets == Targets::Any && scheme != "http" {
            InvalidTarget::NotAnUrl
        } else {
            InvalidTarget::Scheme
        });
    }
    if authority.as_str().contains('@') {
        return Err(InvalidTarget::UserInfo);
    }
    if authority.host().is_empty() || uri.port().is_some_and(|port| port.as_u16() == 0) {
        return Err(InvalidTarget::NotAnUrl);
    }
    if targets == Targets::Public && !is_public(authority.host()) {
        return Err(InvalidTarget::Private);
    }
    Ok(uri)
}

/// Names that never lead into the public network (RFC 6761, 6762, 8375, 9476, and what clusters and routers use).
const LOCAL_SUFFIXES: [&str; 12] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "alt",
];

fn is_public(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse().is_ok_and(is_public_v6);
    }
    let name = host.strip_suffix('.').unwrap_or(&host);
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    // What ends in a number is an address in one of its many spellings; one of them alone is read by everyone alike.
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return name.parse().is_ok_and(is_public_v4);
    }
    let is_name = name.split('.').all(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    is_name && !LOCAL_SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
}

/// Blocks that IANA's registry of special addresses gives to something else than the public network.
const SPECIAL_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(block, length): &(Ipv4Addr, u32)| (address.to_bits() ^ block.to_bits()) >> (32 - length) == 0;
    !SPECIAL_V4.iter().any(within)
}

/// Blocks inside 2000::/3, the public network, that are none: tunnels, which carry an IPv4 address, and documentation.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(block, length): &(Ipv6Addr, u32)| (address.to_bits() ^ block.to_bits()) >> (128 - length) == 0;
    match IpAddr::V6(address).to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => address.segments()[0] >> 13 == 1 && !SPECIAL_V6.iter().any(within),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<InvalidTarget> {
        check(url, Targets::Public).err()
    }

    #[test]
    fn public_hosts_are_targets() {
        for url in [
            "https://hooks.example.com/todo?x=1",
            "https://hooks.example.com:8443/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "HTTPS://Example.COM",
            "https://xn--bcher-kva.example/a",
            "https://localhost.example.com/",
            "https://10.example.com/",
        ] {
            assert_eq!(refused(url), None, "{url}");
        }
    }

    #[test]
    fn hosts_inside_are_none_however_they_are_spelled() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "x.localhost",
            "sidelet",
            "printer.local",
            "metadata.google.internal",
            "nas.home.arpa",
            "a.lan",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[ff02::1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[::127.0.0.1]",
            "[fec0::1]",
            "[100::1]",
            "a..b",
            ".",
        ] {
            let url = format!("https://{host}/hook");
            assert!(refused(&url).is_some(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_receiver_is_refused_with_its_reason() {
        for url in
            ["", "hooks.example.com", "/hook", "https://", "https://a.b/#x", "https://b\u{fc}.de/", "https://a.b:0/"]
        {
            assert_eq!(refused(url), Some(InvalidTarget::NotAnUrl), "{url}");
        }
        assert_eq!(refused(&format!("https://a.b/{}", "x".repeat(MAX_URL))), Some(InvalidTarget::NotAnUrl));
        assert_eq!(refused("http://hooks.example.com/"), Some(InvalidTarget::Scheme));
        assert_eq!(refused("ftp://hooks.example.com/"), Some(InvalidTarget::Scheme));
        assert_eq!(refused("https://user:word@hooks.example.com/"), Some(InvalidTarget::UserInfo));
        assert_eq!(refused("https://hooks.example.com@127.0.0.1/"), Some(InvalidTarget::UserInfo));
    }

    #[test]
    fn any_host_is_one_where_the_operator_says_so() {
        for url in ["http://127.0.0.1:4000/hook", "https://localhost/", "http://receiver/"] {
            assert!(check(url, Targets::Any).is_ok(), "{url}");
        }
        assert!(check("ftp://127.0.0.1/", Targets::Any).is_err());
        assert!(check("http://a@127.0.0.1/", Targets::Any).is_err());
    }
}
