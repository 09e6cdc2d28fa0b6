//! Ports of servers that go away and come back.

use std::net::SocketAddr;
use tokio::net::TcpSocket;

/// A port on this machine that nobody else is given while this lives, whether a server listens there or not.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    _held: Option<TcpSocket>,
}

impl Port {
    pub(crate) fn held() -> Port {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        // On Linux, one who listens may share a port with one who only has it, where both say so. Elsewhere not: there, it is
        // a port that was free a moment ago.
        Port { address, _held: cfg!(target_os = "linux").then_some(socket) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
