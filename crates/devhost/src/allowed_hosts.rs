//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! An entry is `scheme://host[:port]`, as Spin documents it: the scheme may be `*`; the host may
//! be `*`, `*.example.com` (its subdomains, not itself), a name, an address or an address block
//! such as `10.0.0.0/8`; the port may be `*` or a range such as `8000..9000`, its end excluded,
//! and is the scheme's own if absent. Names are compared as written; nothing is looked up.

use std::net::IpAddr;
use std::ops::Range;

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHost {
    /// Absent means any.
    scheme: Option<String>,
    host: Host,
    /// Absent means any.
    ports: Option<Range<u32>>,
}

#[derive(Clone, Debug)]
enum Host {
    Any,
    Subdomain(String),
    Name(String),
    Block { address: u128, mask: u128, v4: bool },
}

/// An entry that has no accepted form.
#[derive(Debug)]
pub(crate) struct NotAHost;

impl AllowedHost {
    /// The accepted form, for errors.
    pub(crate) const FORM: &str = "`scheme://host[:port]`, such as `http://localhost:3500`, \
        `http://*.example.com`, `http://10.0.0.0/8:*` or `*://*:*`; the components of the \
        application itself (`self`, `*.spin.internal`) are not supported";

    /// Parses an entry.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAHost> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(NotAHost)?;
        let scheme = match scheme {
            "*" => None,
            name if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Some(name.to_ascii_lowercase())
            }
            _ => return Err(NotAHost),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest)?;
        let ports = match port {
            Some("*") => None,
            Some(port) => Some(parse_ports(port)?),
            None => {
                let port = scheme.as_deref().and_then(default_port).ok_or(NotAHost)?;
                Some(u32::from(port)..u32::from(port) + 1)
            }
        };
        Ok(Self { scheme, host: Host::parse(host)?, ports })
    }

    /// True if a request to this place may go out.
    pub(crate) fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(scheme))
            && self.host.allows(host)
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&u32::from(port)))
    }
}

impl AllowedHost {
    /// Whether the entry says which hosts it means, and not just every one.
    pub(crate) fn is_named(&self) -> bool {
        !matches!(self.host, Host::Any | Host::Block { mask: 0, .. })
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, NotAHost> {
        let text = text.to_ascii_lowercase();
        if text == "*" {
            return Ok(Self::Any);
        }
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| NotAHost)?)),
            None => (text.as_str(), None),
        };
        if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Self::block(address, length).ok_or(NotAHost);
        }
        let internal = text == "self" || text == "self.alt" || text.ends_with(".spin.internal");
        let (wild, name) = match text.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, text.as_str()),
        };
        let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if internal || !fits {
            return Err(NotAHost);
        }
        Ok(if wild { Self::Subdomain(format!(".{name}")) } else { Self::Name(name.to_owned()) })
    }

    fn block(address: IpAddr, length: Option<u32>) -> Option<Self> {
        let (address, bits, v4) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32, true),
            IpAddr::V6(address) => (u128::from(address), 128, false),
        };
        let host_bits = bits - length.unwrap_or(bits).min(bits);
        if length.is_some_and(|length| length > bits) {
            return None;
        }
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0) & (u128::MAX >> (128 - bits));
        Some(Self::Block { address: address & mask, mask, v4 })
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => name.eq_ignore_ascii_case(host),
            Self::Subdomain(suffix) => host.to_ascii_lowercase().ends_with(suffix),
            Self::Block { address, mask, v4 } => match host.trim_matches(['[', ']']).parse() {
                Ok(IpAddr::V4(host)) => *v4 && u128::from(u32::from(host)) & mask == *address,
                Ok(IpAddr::V6(host)) => !v4 && u128::from(host) & mask == *address,
                Err(_) => false,
            },
        }
    }
}

/// Splits `host:port`, where the host may be `[::1]` or a block with a slash.
fn split_port(text: &str) -> Result<(&str, Option<&str>), NotAHost> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(NotAHost)? + 1;
        let (host, rest) = text.split_at(end);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(NotAHost),
        };
    }
    Ok(match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

fn parse_ports(text: &str) -> Result<Range<u32>, NotAHost> {
    let number = |text: &str| text.parse::<u16>().map(u32::from).map_err(|_| NotAHost);
    match text.split_once("..") {
        Some((start, end)) => {
            let range = number(start)?..number(end)?;
            if range.is_empty() { Err(NotAHost) } else { Ok(range) }
        }
        None => number(text).map(|port| port..port + 1),
    }
}

/// The port that a scheme has when none is written.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        "mysql" => Some(3306),
        "postgres" => Some(5432),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fuzzing::{config, damaged};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Scheme, host and port of a request.
    type Target = (&'static str, &'static str, u16);

    #[test]
    fn entries_allow_what_they_say_and_nothing_else() {
        let table: [(&str, &[Target], &[Target]); 9] = [
            (
                "http://localhost:3500",
                &[("http", "localhost", 3500), ("HTTP", "LocalHost", 3500)],
                &[("https", "localhost", 3500), ("http", "localhost", 80), ("http", "127.0.0.1", 3500)],
            ),
            ("http://example.com", &[("http", "example.com", 80)], &[("http", "example.com", 443)]),
            ("http://example.com/", &[("http", "example.com", 80)], &[("http", "a.example.com", 80)]),
            (
                "https://*.example.com",
                &[("https", "a.b.example.com", 443)],
                &[("https", "example.com", 443), ("https", "badexample.com", 443)],
            ),
            ("*://localhost:*", &[("http", "localhost", 1), ("redis", "localhost", 9)], &[("http", "host", 1)]),
            ("http://*:8000..8002", &[("http", "x", 8000), ("http", "y", 8001)], &[("http", "x", 8002)]),
            ("*://*:*", &[("http", "::1", 65535), ("https", "any", 1)], &[]),
            (
                "http://10.1.0.0/16:80",
                &[("http", "10.1.255.3", 80)],
                &[("http", "10.2.0.1", 80), ("http", "ten", 80), ("http", "::10.1.0.1", 80)],
            ),
            ("http://[::1]:90", &[("http", "::1", 90), ("http", "[::1]", 90)], &[("http", "::2", 90)]),
        ];
        for (entry, allowed, denied) in table {
            let host = AllowedHost::parse(entry).unwrap();
            for (scheme, name, port) in allowed {
                assert!(host.allows(scheme, name, *port), "{entry} {name}:{port}");
            }
            for (scheme, name, port) in denied {
                assert!(!host.allows(scheme, name, *port), "{entry} {name}:{port}");
            }
        }
    }

    #[test]
    fn malformed_entries_are_refused() {
        for entry in [
            "",
            "*",
            "localhost",
            "localhost:80",
            "://x",
            "*://x",
            "ht tp://x:1",
            "http://",
            "http://:80",
            "http://x:y",
            "http://x:70000",
            "http://x:9..8",
            "http://x/path",
            "http://a.*.b",
            "http://self",
            "http://tasks.spin.internal",
            "http://10.0.0.0/33",
            "insecure:allow-all",
            "http://[::1",
            "http://{a,b}",
        ] {
            assert!(AllowedHost::parse(entry).is_err(), "{entry}");
        }
    }

    const ENTRIES: [&str; 14] = [
        "http://localhost:3500",
        "https://*.example.com",
        "*://*:*",
        "http://10.0.0.0/8:8000..9000",
        "http://[::1]:80",
        "http://[fe80::/10]:80",
        "redis://a/",
        "http://::1:80",
        "http://0.0.0.0/0:1",
        "http://[::]/0:1",
        "http://1.2.3.4/32:65535",
        "http://a:0..65535",
        "://",
        "self",
    ];

    proptest! {
        #![proptest_config(config(4_000))]

        #[test]
        fn any_entry_is_refused_or_allows_no_more_than_it_says(
            text in damaged(select(&ENTRIES[..]).prop_map(str::to_owned), &ENTRIES),
            port in any::<u16>(),
        ) {
            let Ok(entry) = AllowedHost::parse(&text) else { return Ok(()) };
            let targets = ["localhost", "LOCALHOST", "example.com", "a.example.com", "10.1.2.3", "::1", "[::1]", "", ".", "[", "]"];
            for host in targets {
                for scheme in ["http", "https", "HTTP", ""] {
                    let allowed = entry.allows(scheme, host, port);
                    let names_it = text.to_ascii_lowercase().contains(&host.trim_matches(['[', ']']).to_ascii_lowercase());
                    let is_wide = text.contains(['*', '/']);
                    prop_assert!(!allowed || names_it || is_wide, "{text} allows {host}");
                }
            }
        }
    }
}
