//! The same API behind TLS: encryption ends in front of it, as at a proxy.

use std::sync::Arc;

use checks::tls::target::{certificate, config};
use engine::testing::{Io, Served, Speaker};
use model::Origin;
use tokio::io::copy_bidirectional;
use tokio_rustls::TlsAcceptor;

const HOST: &str = "target.localhost";

/// Serves it over TLS 1.2 and 1.3 alone, with a certificate that the client trusts; http is closed.
pub(super) fn behind_tls(served: Served) -> Served {
    let Io::Http(server) = served.io.clone() else { return served };
    let certified = certificate(HOST, false);
    let acceptor = TlsAcceptor::from(config(&certified));
    let speaker: Speaker = Arc::new(move |io| {
        let (acceptor, server) = (acceptor.clone(), server.clone());
        Box::pin(async move {
            let Ok(mut client) = acceptor.accept(io).await else { return };
            let origin = Origin { secure: true, host: HOST.into(), port: 443 };
            if let Some(mut api) = server.connect(&origin) {
                // How the connection ends is for its client to see.
                let _ = copy_bidirectional(&mut client, &mut api).await;
            }
        })
    });
    Served { io: Io::Tls { speaker, roots: vec![certified.cert.der().clone()] }, secure: true, ..served }
}
