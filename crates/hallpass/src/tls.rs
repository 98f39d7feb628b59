//! Certificates for development: an authority of this machine's own, and one certificate of it for a domain.
//!
//! The authority vouches for nothing but that domain and this machine, so that whoever trusts it risks no other name.
//! Nothing of this is used in earnest: there a proxy speaks TLS.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::settings::master_key::make_private_folder;

mod listener;

pub(crate) use listener::TlsListener;

/// The authority's certificate: what a browser is told to trust.
pub(crate) const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca-key.pem";
/// The certificate, for this server and for the development servers of front ends.
pub(crate) const CERTIFICATE: &str = "cert.pem";
/// The certificate's key.
pub(crate) const KEY: &str = "key.pem";

const DAY: u64 = 86_400;
/// For which the authority is good.
const AUTHORITY_DAYS: u64 = 3650;
/// For which a certificate is good: no browser takes one that is good for longer than 398.
const CERTIFICATE_DAYS: u64 = 397;
/// Of which as many must be left at a start.
const DAYS_LEFT: u64 = 30;
/// How long it may take to find out where a name leads to.
const LOOKUP: Duration = Duration::from_secs(2);
/// Seconds by which other clocks may be behind ours.
const CLOCKS_DIFFER: u64 = 3600;

/// What a server speaks TLS with.
pub(crate) struct DevTls {
    pub(crate) config: Arc<ServerConfig>,
    /// The folder with the files.
    pub(crate) folder: PathBuf,
    /// Whether the authority was made at this start, so that nobody can trust it yet.
    pub(crate) is_new: bool,
}

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

/// Opens what is in `folder`, and makes what is not there, is about to end, or is for other names.
///
/// `hosts` are names that the certificate is for besides `domain`, the names one level below it, and this machine.
pub(crate) fn open(folder: &Path, domain: &str, hosts: &[String], now: i64) -> Result<DevTls> {
    make_private_folder(folder)?;
    let folder = folder.canonicalize()?;
    let (names, now) = (names(domain, hosts), u64::try_from(now).unwrap_or_default());
    let kept = read(&folder, AUTHORITY, AUTHORITY_KEY);
    if let Some(authority) = &kept {
        let good = read(&folder, CERTIFICATE, KEY).and_then(|pair| check(authority, &pair, &names, now).ok());
        if let Some(config) = good {
            return Ok(DevTls { config, folder, is_new: false });
        }
        // The authority vouches for one domain: for another one this fails, and takes another authority.
        if let Ok((pair, config)) = sign(authority, domain, &names, now) {
            pair.write(&folder, CERTIFICATE, KEY)?;
            return Ok(DevTls { config, folder, is_new: false });
        }
    }
    let authority = make_authority(domain, now)?;
    let (pair, config) = sign(&authority, domain, &names, now)?;
    authority.write(&folder, AUTHORITY, AUTHORITY_KEY)?;
    pair.write(&folder, CERTIFICATE, KEY)?;
    Ok(DevTls { config, folder, is_new: true })
}

/// Whether a name leads to this machine, and nowhere else.
pub(crate) async fn resolves_here(host: &str) -> bool {
    let looked_up = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, 0))).await;
    let Ok(Ok(found)) = looked_up else { return false };
    let found: Vec<_> = found.collect();
    !found.is_empty() && found.iter().all(|address| address.ip().is_loopback())
}

/// Every name that a certificate is for.
fn names(domain: &str, hosts: &[String]) -> Vec<String> {
    let mut names = vec![domain.to_owned(), format!("*.{domain}")];
    // Not `*.localhost`: rustls and Firefox take no certificate with a wildcard before a single label.
    names.extend(["localhost", "api.localhost", "app.localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let covered = |host: &str| host.split_once('.').is_some_and(|(_, rest)| rest == domain);
    for host in hosts {
        if !covered(host) && !names.contains(host) {
            names.push(host.clone());
        }
    }
    names
}

/// What the authority is called and may do; the same for one domain at every start.
fn authority_parameters(domain: &str, now: u64) -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, format!("Hallpass development authority for {domain}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // For servers, and for nothing else that a system takes certificates for.
    authority.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let address = |address: IpAddr, length| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, length));
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName(domain.to_owned()),
            GeneralSubtree::DnsName("localhost".to_owned()),
            address(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
            address(Ipv6Addr::LOCALHOST.into(), 128),
        ],
        excluded_subtrees: Vec::new(),
    });
    good_for(&mut authority, AUTHORITY_DAYS, now);
    authority
}

fn make_authority(domain: &str, now: u64) -> Result<Pair> {
    let key = KeyPair::generate()?;
    let certificate = authority_parameters(domain, now).self_signed(&key)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A new certificate, if the authority's stands the check.
fn sign(authority: &Pair, domain: &str, names: &[String], now: u64) -> Result<(Pair, Arc<ServerConfig>)> {
    let issuer = Issuer::new(authority_parameters(domain, now), KeyPair::from_pem(&authority.key)?);
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, domain);
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    good_for(&mut server, CERTIFICATE_DAYS, now);
    let key = KeyPair::generate()?;
    let pair = Pair { certificate: server.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() };
    let config = check(authority, &pair, names, now)?;
    Ok((pair, config))
}

fn good_for(certificate: &mut CertificateParams, days: u64, now: u64) {
    let begin = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.saturating_sub(CLOCKS_DIFFER));
    certificate.not_before = begin;
    certificate.not_after = begin + Duration::from_secs(days * DAY);
}

/// Looks at a certificate as a browser does that trusts the authority, in [`DAYS_LEFT`] days.
fn check(authority: &Pair, pair: &Pair, names: &[String], now: u64) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(authority.certificate.as_bytes())?)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted), provider.clone()).build()?;
    let then = UnixTime::since_unix_epoch(Duration::from_secs(now + DAYS_LEFT * DAY));
    for name in names {
        let host = ServerName::try_from(name.replace('*', "any"))?;
        verifier.verify_server_cert(&certificate, &[], &host, &[], then)?;
    }
    server_config(certificate, &pair.key, provider)
}

fn server_config(
    certificate: CertificateDer<'static>,
    key: &str,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(folder: &Path, certificate: &str, key: &str) -> Option<Pair> {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    Some(Pair { certificate: read(certificate)?, key: read(key)? })
}

impl Pair {
    fn write(&self, folder: &Path, certificate: &str, key: &str) -> Result<()> {
        for (name, content, mode) in [(certificate, &self.certificate, 0o644), (key, &self.key, 0o600)] {
            let path = folder.join(name);
            put(&path, content, mode).with_context(|| format!("`{}` cannot be written", path.display()))?;
        }
        Ok(())
    }
}

/// Writes a file whole or not at all.
fn put(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests;
