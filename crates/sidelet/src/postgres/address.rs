//! Connection strings, as libpq and Dapr's driver write them.

use std::{path::PathBuf, time::Duration};

use tokio_postgres::config::SslMode;

use super::tls::{Tls, Verify};

/// Where a database is, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: Tls,
    /// The text that it was read from, which has the password.
    text: String,
}

/// Two texts may mean the same: then they are two databases to us.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=...` or `host=... user=...`.
    ///
    /// The error is a sentence without a value, which may be the password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut own = Own::default();
        let plain = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let (start, query) = text.split_once('?').unwrap_or((text, ""));
            let rest: Vec<_> = query.split('&').filter(|part| !part.is_empty()).collect();
            let mut kept = Vec::new();
            for part in rest {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                if !own.take(key, &decoded)? {
                    kept.push(part);
                }
            }
            if kept.is_empty() { start.to_owned() } else { format!("{start}?{}", kept.join("&")) }
        } else {
            let mut kept = String::new();
            for (key, value) in pairs(text)? {
                if !own.take(&key, &value)? {
                    kept.push_str(&format!("{key}='{}' ", value.replace('\\', "\\\\").replace('\'', "\\'")));
                }
            }
            kept
        };
        let mut config: tokio_postgres::Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("cannot be read: {cause}")
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("has no host".into());
        }
        let (mode, tls) = own.tls()?;
        config.ssl_mode(mode);
        // What a firewall forgot is noticed before the next request needs it; these packets wake no database.
        config
            .keepalives_idle(Duration::from_secs(60))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            // No later than that, where something was sent: without it the system tries for a quarter of an hour.
            .tcp_user_timeout(Duration::from_secs(90));
        if config.get_application_name().is_none() {
            config.application_name("sidelet");
        }
        Ok(Self { config, tls, text: text.to_owned() })
    }

    /// The place without its secrets: `host:port/database`.
    pub(super) fn place(&self) -> String {
        let host = self.config.get_hosts().first().map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        });
        let host = host.or_else(|| self.config.get_hostaddrs().first().map(ToString::to_string)).unwrap_or_default();
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{host}:{port}/{}", self.config.get_dbname().or(self.config.get_user()).unwrap_or_default())
    }
}

/// What the driver does not know, or knows less of.
#[derive(Default)]
struct Own {
    mode: Option<String>,
    roots: Option<String>,
}

impl Own {
    /// Whether the key is one of ours.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.roots = Some(value.to_owned()),
            // Sizes of the pool of Dapr's driver: `maxConns` and `connectionMaxIdleTime` say the same.
            key if key.starts_with("pool_") => {
                return Err(format!(
                    "has `{key}`; expected the metadata `maxConns` and `connectionMaxIdleTime` instead"
                ));
            }
            "sslcert" | "sslkey" | "sslpassword" | "sslcrl" => {
                return Err(format!("has `{key}`, which is not served: clients sign in by password"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn tls(self) -> Result<(SslMode, Tls), String> {
        let system = self.roots.as_deref() == Some("system");
        let roots = self.roots.filter(|_| !system).map(PathBuf::from);
        let (mode, verify) = match self.mode.as_deref().unwrap_or(if system { "verify-full" } else { "prefer" }) {
            "disable" => (SslMode::Disable, Verify::Nothing),
            "allow" | "prefer" => (SslMode::Prefer, Verify::Nothing),
            // As libpq's: a file of certificates is there to be used.
            "require" if roots.is_some() => (SslMode::Require, Verify::Authority),
            "require" => (SslMode::Require, Verify::Nothing),
            "verify-ca" => (SslMode::Require, Verify::Authority),
            "verify-full" => (SslMode::Require, Verify::Name),
            other => {
                let form = "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`";
                return Err(format!("has `sslmode` `{other}`; expected {form}"));
            }
        };
        if system && verify != Verify::Name {
            return Err("has `sslrootcert` `system`; expected `sslmode=verify-full` beside it".into());
        }
        Ok((mode, Tls { verify, roots }))
    }
}

/// The keys and values of `host=localhost user='a b'`.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let broken = || "cannot be read: expected `key=value` in a row".to_owned();
    let mut letters = text.chars().peekable();
    let mut pairs = Vec::new();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace() && *letter != '=') {
            key.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        letters.next_if_eq(&'=').ok_or_else(broken)?;
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let quoted = letters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match letters.next() {
                Some('\\') => value.push(letters.next().ok_or_else(broken)?),
                Some('\'') if quoted => break,
                Some(letter) if !quoted && letter.is_whitespace() => break,
                Some(letter) => value.push(letter),
                None if quoted => return Err(broken()),
                None => break,
            }
        }
        pairs.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_where_and_how() {
        for text in [
            "postgres://u:p%40@db.example:6432/app?sslmode=verify-full&connect_timeout=3",
            "host=db.example port = 6432 user=u password='p@' dbname=app sslmode=verify-full connect_timeout=3",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.place().as_str(), address.tls.verify), ("db.example:6432/app", Verify::Name));
            assert_eq!(address.config.get_password(), Some(&b"p@"[..]));
            assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        }
    }

    #[test]
    fn modes_are_libpqs() {
        let mode = |text: &str| {
            let address = Address::parse(&format!("host=h user=u {text}")).unwrap();
            (address.config.get_ssl_mode(), address.tls.verify, address.tls.roots.is_some())
        };
        assert_eq!(mode(""), (SslMode::Prefer, Verify::Nothing, false));
        assert_eq!(mode("sslmode=disable"), (SslMode::Disable, Verify::Nothing, false));
        assert_eq!(mode("sslmode=require"), (SslMode::Require, Verify::Nothing, false));
        assert_eq!(mode("sslmode=require sslrootcert=a.pem"), (SslMode::Require, Verify::Authority, true));
        assert_eq!(mode("sslmode=verify-ca"), (SslMode::Require, Verify::Authority, false));
        assert_eq!(mode("sslrootcert=system"), (SslMode::Require, Verify::Name, false));
    }

    #[test]
    fn what_cannot_be_served_is_refused_without_the_password() {
        for (text, reason) in [
            ("", "has no host"),
            ("user=u password=secret", "has no host"),
            ("host", "expected `key=value`"),
            ("host=h password='secret", "expected `key=value`"),
            ("host=h secret=secret", "unknown option"),
            ("postgres://u:secret@h/d?sslmode=always", "`sslmode` `always`"),
            ("postgres://u:secret@h/d?pool_max_conns=3", "`maxConns`"),
            ("host=h password=secret sslkey=k", "`sslkey`"),
            ("host=h sslmode=require sslrootcert=system", "`sslmode=verify-full`"),
            ("postgres://u:secret@h:x/d", "cannot be read"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(
                error.contains(reason) && !error.contains("=secret") && !error.contains(":secret"),
                "{text}: {error}"
            );
        }
    }
}
