//! What HTTP targets may reach.
//!
//! Who may make schedules makes the server send requests from where it stands: to the machine's own ports, to its network, to
//! the place where a cloud tells a machine its keys. So an address is judged when it is connected to: a name is resolved once,
//! what it leads to is judged, and nothing else is connected to, whatever the name leads to a moment later.

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};
use thiserror::Error;
use tower_service::Service;

/// What HTTP targets may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpTargets {
    /// Every address.
    #[default]
    Any,
    /// The internet's addresses: none of the machine itself, of private networks, of the link.
    Public,
    /// Nothing: no request is made.
    Off,
}

impl HttpTargets {
    /// Whether an address may be connected to.
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match self {
            HttpTargets::Any => true,
            HttpTargets::Public => is_public(address),
            HttpTargets::Off => false,
        }
    }

    /// Whether a request to this host may be tried. Names are judged by what they lead to, when they are resolved; but
    /// `localhost` leads to the machine itself wherever it is asked for (RFC 6761).
    pub(crate) fn check(self, host: &str) -> Result<(), OutOfReach> {
        let internal = match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) => !self.allows(address),
            Err(_) => is_localhost(host) && self != HttpTargets::Any,
        };
        match self {
            HttpTargets::Off => Err(OutOfReach::Off),
            _ if internal => Err(OutOfReach::Internal(host.to_owned())),
            _ => Ok(()),
        }
    }
}

fn is_localhost(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    last.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

/// Why a target is not called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutOfReach {
    /// No target is.
    #[error("the server makes no HTTP requests for schedules: its setting scheduler.http_targets is `off`")]
    Off,
    /// This host is none of the internet's.
    #[error(
        "{0} leads to an address that is not the internet's, which this server does not call for schedules: its setting \
         scheduler.http_targets is `public`, and `any` would let it"
    )]
    Internal(String),
}

/// Source: IANA's special-purpose address registries, what they call not globally reachable.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

/// What is given out is in 2000::/3. An IPv4 address within one is judged as what it is.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b) {
        (0x2002, _) => embedded(b, c),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(g, h),
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => embedded(g, h),
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        _ => a & 0xe000 == 0x2000,
    }
}

/// Resolves names, and keeps to itself what may not be reached.
#[derive(Clone)]
pub(crate) struct Resolver {
    system: GaiResolver,
    targets: HttpTargets,
}

impl Resolver {
    pub(crate) fn new(targets: HttpTargets) -> Resolver {
        Resolver { system: GaiResolver::new(), targets }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (host, targets) = (name.as_str().to_owned(), self.targets);
        let resolving = self.system.call(name);
        Box::pin(async move {
            let allowed: Vec<SocketAddr> = resolving.await?.filter(|address| targets.allows(address.ip())).collect();
            match allowed.is_empty() {
                true => Err(io::Error::other(OutOfReach::Internal(host))),
                false => Ok(allowed.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internets_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(HttpTargets::Public.allows(public.parse().unwrap()), "{public}");
        }
        for internal in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
            "::127.0.0.1",
            "fec0::1",
            "3fff::1",
        ] {
            let address = internal.parse().unwrap();
            assert!(!HttpTargets::Public.allows(address), "{internal}");
            assert!(HttpTargets::Any.allows(address), "{internal}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_is_judged_before_it_is_tried() {
        let internal = |host: &str| Err(OutOfReach::Internal(host.to_owned()));
        for (targets, host, expected) in [
            (HttpTargets::Public, "127.0.0.1", internal("127.0.0.1")),
            (HttpTargets::Public, "[::1]", internal("[::1]")),
            (HttpTargets::Public, "1.1.1.1", Ok(())),
            (HttpTargets::Public, "localhost", internal("localhost")),
            (HttpTargets::Public, "a.LocalHost.", internal("a.LocalHost.")),
            (HttpTargets::Public, "localhost.example.com", Ok(())), // its addresses are judged
            (HttpTargets::Public, "127.1", Ok(())),                 // these, too
            (HttpTargets::Any, "127.0.0.1", Ok(())),
            (HttpTargets::Any, "localhost", Ok(())),
            (HttpTargets::Off, "1.1.1.1", Err(OutOfReach::Off)),
        ] {
            assert_eq!(targets.check(host), expected, "{host}");
        }
    }
}
