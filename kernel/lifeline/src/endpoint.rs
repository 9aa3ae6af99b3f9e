//! The only place that this version can dial: a simulated venue on this host's loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::VenueFault;

/// How long a connection, a handshake or a whole REST call may take.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Address of a simulated venue. Its existence proves that it is on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedEndpoint {
    address: SocketAddr,
}

impl SimulatedEndpoint {
    /// `host` is `127.0.0.1` or `::1`, written so: names are not resolved.
    ///
    /// # Errors
    /// [`VenueFault::EndpointForbidden`] for every other host, and for port 0.
    pub fn new(host: &str, port: u16) -> Result<Self, VenueFault> {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        match host.parse::<IpAddr>() {
            Ok(ip) if loopback.contains(&ip) && port != 0 => {
                Ok(Self { address: SocketAddr::new(ip, port) })
            }
            Ok(_) | Err(_) => Err(VenueFault::EndpointForbidden(format!("{host:?} port {port}"))),
        }
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection. Reads and writes on it end after [`TIMEOUT`].
    ///
    /// # Errors
    /// [`VenueFault::Unreachable`].
    pub fn dial(&self) -> Result<TcpStream, VenueFault> {
        let dialed = TcpStream::connect_timeout(&self.address, TIMEOUT).and_then(|stream| {
            // Small messages leave at once, or not at all.
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Ok(stream)
        });
        dialed.map_err(|error| VenueFault::Unreachable(format!("{}: {error}", self.address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A7: no host of the outside world can be written down, by any spelling.
    #[test]
    fn a7_only_loopback_is_an_endpoint() {
        let check = |host: &str, port: u16, expect: bool| {
            let endpoint = SimulatedEndpoint::new(host, port);
            match endpoint {
                Ok(endpoint) => assert!(expect && endpoint.address().ip().is_loopback(), "{host}"),
                Err(fault) => assert_eq!((fault.code(), expect), ("ENDPOINT_FORBIDDEN", false)),
            }
        };
        check("127.0.0.1", 9_443, true);
        check("::1", 9_443, true);
        check("127.0.0.1", 0, false);
        for host in [
            "api.kraken.com",
            "localhost",
            "0.0.0.0",
            "127.0.0.2",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:1.2.3.4",
            "10.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "127.0.0.1.",
            "127.0.0.1@1.2.3.4",
            "[::1]",
            "",
        ] {
            check(host, 443, false);
        }
    }
}
