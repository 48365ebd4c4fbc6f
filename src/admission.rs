//! How many connections there may be, in all and from one address.
//!
//! A client counts as long as it is connected: its [`Permit`] goes with its socket.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// The connections there are.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    /// 0: as many as come.
    most: u64,
    most_per_address: u64,
    here: Mutex<Here>,
}

#[derive(Debug, Default)]
struct Here {
    all: u64,
    by_address: HashMap<u64, u64>,
}

/// Leave to be connected; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admissions: Arc<Admissions>,
    /// Whose address's count it is in.
    address: u64,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowd {
    InAll,
    FromAddress,
}

/// In nobody's count.
const EXEMPT: u64 = 0;

impl Admissions {
    pub(crate) fn new(most: u64, most_per_address: u64) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, here: Mutex::default() })
    }

    /// Leave for a connection from this address; `None` has none, as on a Unix socket.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Permit, Crowd> {
        let address = address.map_or(EXEMPT, network);
        let mut here = self.here.lock();
        if self.most > 0 && here.all >= self.most {
            return Err(Crowd::InAll);
        }
        if self.most_per_address > 0 && address != EXEMPT {
            let count = here.by_address.entry(address).or_default();
            if *count >= self.most_per_address {
                return Err(Crowd::FromAddress);
            }
            *count += 1;
        }
        here.all += 1;
        Ok(Permit { admissions: Arc::clone(self), address })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.here.lock().all
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut here = self.admissions.here.lock();
        here.all -= 1;
        if let Some(count) = here.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                here.by_address.remove(&self.address);
            }
        }
    }
}

/// A number for whoever has this address: for IPv4 the address; for IPv6 its first 56 bits, as providers give out
/// whole networks.
fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        address if address.is_loopback() => EXEMPT,
        // The low byte tells it from a network, whose is 0.
        IpAddr::V4(address) => u64::from(address.to_bits()) << 8 | 1,
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64 & !0xff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn so_many_connections_and_so_many_from_one_address() {
        let admissions = Admissions::new(5, 2);
        let first = admissions.admit(ip("192.0.2.1")).unwrap();
        let _second = admissions.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(admissions.admit(ip("192.0.2.1")).unwrap_err(), Crowd::FromAddress);
        drop(first);
        let _third = admissions.admit(ip("192.0.2.1")).unwrap();
        let mut others: Vec<_> =
            (2..5).map(|n| admissions.admit(ip(&format!("192.0.2.{n}"))).unwrap()).collect();
        assert_eq!(admissions.admit(ip("192.0.2.9")).unwrap_err(), Crowd::InAll);
        assert_eq!(admissions.count(), 5);
        others.clear();
        assert_eq!(admissions.count(), 2);
        assert_eq!(admissions.here.lock().by_address.len(), 1, "who has left is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_loopback_is_none() {
        let admissions = Admissions::new(0, 1);
        let mut here = vec![admissions.admit(ip("2001:db8:0:100::1")).unwrap()];
        assert!(admissions.admit(ip("2001:db8:0:1ff::2")).is_err());
        for address in ["2001:db8:0:200::1", "127.0.0.1", "127.0.0.1", "::1", "::1", "::ffff:127.0.0.9"] {
            here.push(admissions.admit(ip(address)).unwrap());
        }
        here.push(admissions.admit(None).unwrap());
        here.push(admissions.admit(None).unwrap());
    }
}
