//! Stands between a scan and an application on loopback, and takes down every byte that the scan writes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use engine::testing::Recorder;
use model::Origin;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A relay, ended when it is dropped.
pub struct Relay {
    /// Where the scan finds the application.
    pub origin: Origin,
    /// What was written there.
    pub recorder: Arc<Recorder>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay to an application that listens at a port of 127.0.0.1.
    ///
    /// # Errors
    /// No port can be listened at.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let origin = Origin { secure: false, host: address.ip().to_string(), port: address.port() };
        let recorder = Arc::new(Recorder::default());
        let (application, at, taken) =
            (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), origin.clone(), recorder.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (at, taken) = (at.clone(), taken.clone());
                tokio::spawn(async move {
                    // Without an application the client sees its connection end.
                    let Ok(server) = TcpStream::connect(application).await else { return };
                    _ = (client.set_nodelay(true), server.set_nodelay(true));
                    taken.pass(at, client, server).await;
                });
            }
        });
        Ok(Self { origin, recorder, accepting })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
