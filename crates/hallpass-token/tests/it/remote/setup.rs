//! What a back end can be told, and whom it trusts with its secret.

use std::{sync::Arc, time::Duration};

use hallpass_token::{
    Remote,
    remote::{Failure, SetupError},
};
use rcgen::CertifiedKey;
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use super::{UNKNOWN, World, run, until};
use crate::support::Trap;

#[test]
fn what_makes_no_sense_is_said_before_anything_is_asked() {
    let with = |base: &str, id: &str, secret: &str, staleness| {
        let builder = Remote::builder("https://id.example").base_url(base).client(id, secret);
        builder.max_staleness(Duration::from_secs(staleness)).build().map(|_| ())
    };
    let good = "https://id.example";
    for base in [good, "https://id.example/", "http://localhost:8000", "https://id.example/auth/"] {
        assert_eq!(with(base, "hpc_a", "hps_b", 10), Ok(()), "{base}");
    }
    for base in [
        "",
        "id.example",
        "ftp://id.example",
        "https://",
        "https://a:b@id.example",
        "https://id.example?x",
        "https://id.example#x",
    ] {
        assert_eq!(with(base, "hpc_a", "hps_b", 10), Err(SetupError::BaseUrl), "{base}");
    }
    for (id, secret) in [("", "hps_b"), ("hpc_a", ""), ("hpc:a", "hps_b")] {
        assert_eq!(with(good, id, secret, 10), Err(SetupError::Client), "{id} {secret}");
    }
    assert_eq!(with(good, "hpc_a", "hps_b", 0), Err(SetupError::MaxStaleness));
    assert_eq!(Remote::builder(good).build().map(|_| ()), Err(SetupError::Client), "without a client there is no feed");
}

#[tokio::test]
async fn the_secret_follows_no_redirect() {
    let world = World::new().await;
    let trap = Trap::set();
    world.hallpass.change(|script| script.redirect = Some(trap.url().into()));
    let remote = world.builder().build().unwrap();
    run(&remote);
    until("both were redirected", || {
        remote.status().keys == Some(Failure::Status(302)) && remote.status().feed == Some(Failure::Status(307))
    })
    .await;
    trap.assert_untouched();
    assert_eq!(world.verify(&remote), Err(UNKNOWN));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_secret() {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let impostor = tokio::spawn(async move {
        for _ in 0..4 {
            let (socket, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let mut heard = Vec::new();
                let _ = stream.read_to_end(&mut heard).await;
                assert_eq!(heard, b"", "it was told something");
            }
        }
    });
    let world = World::new().await;
    let remote = world.builder().base_url(format!("https://localhost:{port}")).build().unwrap();
    run(&remote);
    let untrusted = |failure| matches!(failure, Some(Failure::Unreachable(why)) if why.contains("certificate"));
    until("refused", || untrusted(remote.status().feed) && untrusted(remote.status().keys)).await;
    impostor.await.unwrap();
}
