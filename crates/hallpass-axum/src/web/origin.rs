//! A web origin, `scheme://host[:port]`, in the one spelling that browsers send (RFC 6454 section 6.2).
//!
//! Two origins are never compared by anything but this spelling.

use std::net::IpAddr;

use url::{Host, Url};

/// An origin that `https` or `http` pages can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    spelling: String,
    host: String,
    https: bool,
    ip: Option<IpAddr>,
}

impl Origin {
    /// Reads an origin; what is not written exactly as browsers send it is refused with the spelling to use.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "null" {
            return Err("`null` is what every sandboxed page sends: it names nobody and cannot be listed".into());
        }
        if text.contains('*') {
            return Err(format!("`{text}` has a wildcard: whoever may use people's cookies is listed one by one"));
        }
        let url = Url::parse(text)
            .map_err(|_| format!("`{text}` is not an origin: write `https://app.example.com`, with scheme and host"))?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            scheme => {
                return Err(format!("`{text}` has the scheme `{scheme}`: only `https` and `http` pages have cookies"));
            }
        };
        let spelling = url.origin().ascii_serialization();
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("`{text}` has a path: an origin is scheme, host and port alone, `{spelling}`"));
        }
        if text != spelling {
            return Err(format!("`{text}` is not what browsers send: write `{spelling}`"));
        }
        let (host, ip) = match url.host() {
            Some(Host::Domain(name)) if name.ends_with('.') => {
                return Err(format!("`{text}` ends in a dot, which makes it another origin: leave the dot out"));
            }
            Some(Host::Domain(name)) => (name.to_owned(), None),
            Some(Host::Ipv4(ip)) => (ip.to_string(), Some(IpAddr::V4(ip))),
            Some(Host::Ipv6(ip)) => (ip.to_string(), Some(IpAddr::V6(ip))),
            None => return Err(format!("`{text}` has no host")),
        };
        Ok(Self { spelling, host, https, ip })
    }

    /// The origin as browsers send it.
    pub(crate) fn as_str(&self) -> &str {
        &self.spelling
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// `https` or `http`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The origin without its port, if it has one.
    pub(crate) fn without_port(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}://{host}", self.scheme())
    }

    /// Whether it is this machine, whatever the network says (RFC 6761 section 6.3, RFC 5735).
    pub(crate) fn is_loopback(&self) -> bool {
        self.ip.map_or(self.host == "localhost" || self.host.ends_with(".localhost"), |ip| ip.is_loopback())
    }

    /// Whether the host is an address, not a name.
    pub(crate) fn is_address(&self) -> bool {
        self.ip.is_some()
    }

    /// Whether it is `domain` or a name below it.
    pub(crate) fn is_below(&self, domain: &str) -> bool {
        self.host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether both have the same host, on whatever port.
    pub(crate) fn same_host(&self, other: &Self) -> bool {
        self.host == other.host
    }

    /// Whether it can be used in development (`dev`) or in earnest.
    pub(crate) fn suits(&self, dev: bool) -> Result<(), String> {
        let text = &self.spelling;
        match (dev, self.is_loopback()) {
            (true, true) => Ok(()),
            (true, false) => {
                Err(format!("`{text}` is not on this machine, and `dev` serves nobody else: switch `dev` off"))
            }
            (false, _) if !self.https => Err(format!(
                "`{text}` is plain HTTP, over which anybody on the way reads passwords: use `https`, or `dev = true` \
                 for development on this machine"
            )),
            (false, false) if self.ip.is_some() => Err(format!(
                "`{text}` is an address: cookies, certificates and passkeys belong to names, so give it one"
            )),
            (false, _) => Ok(()),
        }
    }

    /// The registrable domain, or the host where there is none (an address, `localhost`).
    pub(crate) fn site(&self) -> &str {
        if self.ip.is_some() { &self.host } else { psl::domain_str(&self.host).unwrap_or(&self.host) }
    }

    /// Whether browsers call both the same site, as `SameSite` cookies need it: same scheme, same registrable domain.
    pub(crate) fn same_site(&self, other: &Self) -> bool {
        self.https == other.https && self.site() == other.site()
    }
}
