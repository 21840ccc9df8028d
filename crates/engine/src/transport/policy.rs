//! Which addresses may be dialed.
//!
//! A description, a redirect or a name server under somebody else's control must not turn the
//! scanner against hosts that its user did not mean.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Origin;

/// Which addresses may be dialed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    loopback: bool,
    private: bool,
    public: bool,
    /// The address that the user typed, allowed whatever it is.
    typed: Option<IpAddr>,
}

impl Policy {
    /// The policy that follows from the origin that the user typed.
    ///
    /// A loopback or private address, and a name reserved for local use, reach loopback and private
    /// addresses but never public ones. A public address reaches public ones; any other name reaches
    /// public and private ones. An address literal is itself always allowed.
    ///
    /// **Source**: RFC 6761, sections 6.2 and 6.3 (`test`, `localhost`); RFC 6762, section 3 (`local`);
    /// RFC 8375 (`home.arpa`); ICANN resolution 2024.07.29.06 (`internal`).
    pub fn for_origin(origin: &Origin) -> Self {
        let typed = literal(&origin.host);
        let (local, private, public) = match typed.map(Class::of) {
            Some(Class::Loopback | Class::Private) => (true, true, false),
            Some(Class::Public) => (false, false, true),
            Some(Class::Special) => (false, false, false),
            None if is_local_name(&origin.host) => (true, true, false),
            None => (false, true, true),
        };
        Self { loopback: local, private, public, typed }
    }

    /// Public addresses only: for scans that somebody else asks for.
    pub fn public_only() -> Self {
        Self { loopback: false, private: false, public: true, typed: None }
    }

    /// True if the address may be dialed.
    pub fn allows(&self, address: IpAddr) -> bool {
        if self.typed == Some(address.to_canonical()) {
            return true;
        }
        match Class::of(address) {
            Class::Loopback => self.loopback,
            Class::Private => self.private,
            Class::Public => self.public,
            Class::Special => false,
        }
    }
}

/// The address that a host names without a name server, in any form that the system's own parser
/// takes: `127.0.0.1`, `0x7f.1`, `2130706433`, `::ffff:10.0.0.1`.
///
/// **Source**: WHATWG URL, section 3.5 (host parsing).
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    match url::Host::parse(host) {
        Ok(url::Host::Ipv4(address)) => Some(address.into()),
        Ok(url::Host::Ipv6(address)) => Some(IpAddr::from(address).to_canonical()),
        _ => None,
    }
}

fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let reserved = ["localhost", "test", "local", "internal", "home.arpa"];
    !host.contains('.') || reserved.iter().any(|name| host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Loopback,
    Private,
    Public,
    /// Unspecified, link-local (where clouds keep their metadata service), multicast, reserved.
    Special,
}

impl Class {
    /// **Source**: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] => Self::Loopback,
            // RFC 1918, and RFC 6598 (shared address space) and RFC 2544 (benchmarks).
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => Self::Private,
            // This network, link-local, protocol assignments, documentation, 6to4 relays, multicast, reserved.
            [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Special,
            [192, 88, 99, _] | [224..=255, ..] => Self::Special,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_loopback() {
            return Self::Loopback;
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Special,
            // Forms that carry an IPv4 address: IPv4-compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
            [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Self::of_v4(v4_of(high, low)),
            [0x2002, high, low, ..] => Self::of_v4(v4_of(high, low)),
            // The metadata service of Amazon EC2 over IPv6.
            [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Self::Special,
            // Unique local (RFC 4193), site-local (RFC 3879), local-use NAT64 (RFC 8215).
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Self::Private,
            // Link-local, multicast, discard-only (RFC 6666), Teredo (RFC 4380), documentation (RFC 3849).
            [0xfe80..=0xfebf, ..] | [0xff00..=0xffff, ..] | [0x100, 0, 0, 0, ..] => Self::Special,
            [0x2001, 0 | 0xdb8, ..] => Self::Special,
            _ => Self::Public,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::Public => "a public address",
            Self::Special => "a link-local or reserved address",
        })
    }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        Class::of(text.parse().unwrap())
    }

    #[test]
    fn an_address_inside_another_form_keeps_its_class() {
        assert_eq!(class("::ffff:10.0.0.1"), Class::Private);
        assert_eq!(class("::ffff:169.254.169.254"), Class::Special);
        assert_eq!(class("64:ff9b::7f00:1"), Class::Loopback);
        assert_eq!(class("2002:a00:1::"), Class::Private);
        assert_eq!(class("::127.0.0.1"), Class::Loopback);
    }

    #[test]
    fn special_ranges_are_never_public() {
        for text in ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "203.0.113.9", "::", "fe80::1", "ff02::1"] {
            assert_eq!(class(text), Class::Special, "{text}");
        }
        assert_eq!(class("fd00:ec2::254"), Class::Special);
    }

    #[test]
    fn ordinary_addresses_are_what_they_are() {
        assert_eq!(class("1.1.1.1"), Class::Public);
        assert_eq!(class("2606:4700::1111"), Class::Public);
        assert_eq!(class("100.64.0.1"), Class::Private);
        assert_eq!(class("172.32.0.1"), Class::Public);
        assert_eq!(class("fd12::1"), Class::Private);
    }

    #[test]
    fn a_literal_is_read_in_every_form_that_the_system_takes() {
        for text in ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "::ffff:127.0.0.1"] {
            assert_eq!(literal(text), Some(Ipv4Addr::LOCALHOST.into()), "{text}");
        }
        assert_eq!(literal("api.example.com"), None);
    }
}
