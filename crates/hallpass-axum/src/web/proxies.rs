//! Which addresses are our own proxies: single addresses and networks in CIDR notation (RFC 4632, RFC 4291).
//!
//! It never looks a name up, so what counts as ours does not change while the server runs.

use std::{net::IpAddr, str::FromStr};

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: u128,
    mask: u128,
}

impl Network {
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.address
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let parsed: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is not an address or a network such as `10.0.0.0/8`"))?;
        let most = if parsed.is_ipv4() { 32_u8 } else { 128 };
        let length = match length {
            None => most,
            Some(length) => length
                .parse()
                .ok()
                .filter(|length| (1..=most).contains(length))
                .ok_or_else(|| format!("`{text}` has no length from 1 to {most} after the slash"))?,
        };
        let mask = u128::MAX << (most - length);
        let address = bits(parsed);
        if address & mask != address {
            return Err(format!("`{text}` has bits set behind its length, so it is not clear which network is meant"));
        }
        Ok(Self { address, mask })
    }
}

/// The address as 128 bits, IPv4 in its mapped form (RFC 4291 section 2.5.5.2), so that both spellings of one are
/// equal.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
