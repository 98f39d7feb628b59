//! A certificate authority of one test server, and nothing that anybody else trusts.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// A server for `localhost` and `127.0.0.1`, and the authority that vouches for it, in PEM.
pub(super) fn make() -> (TlsAcceptor, String) {
    let key = || KeyPair::generate().expect("a key pair");
    let parameters = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        CertificateParams::new(names).expect("names of hosts")
    };
    let mut authority = parameters(&[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = key();
    let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();

    let mut server = parameters(&["localhost", "127.0.0.1"]);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_key = key();
    let issuer = Issuer::new(authority, authority_key);
    let certificate = server.signed_by(&server_key, &issuer).expect("a certificate").der().clone();
    let secret = PrivateKeyDer::Pkcs8(server_key.serialize_der().into());

    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions of TLS that the provider has")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], secret)
        .expect("the key belongs to the certificate");
    (TlsAcceptor::from(Arc::new(config)), authority_pem)
}
