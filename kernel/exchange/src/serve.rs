//! Two listening sockets, the market's pulse, and a clean end.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use portcullis_wire::server::{Object, socket};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::cli::Serve;
use crate::clock::wall_now;
use crate::config;
use crate::exchange::Exchange;
use crate::fault::{Fault, FaultKind};
use crate::http::respond;
use crate::market::Market;
use crate::transfers::Transfers;
use crate::wire_log::WireLog;

/// How often the agents act.
const STEP: Duration = Duration::from_millis(100);
/// How often subscribed connections hear that the line is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Which door a client came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Public calls and channels, and nothing else.
    Public,
    /// Everything.
    Private,
}

/// The exchange, shared by the connections. One request is served at a time.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Exchange>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the exchange until it is told to end.
pub(crate) async fn run(serve: &Serve) -> Result<(), Fault> {
    let exchange = build(serve)?;
    let public = bind(serve.public_port, "--public-port").await?;
    let private = bind(serve.private_port, "--private-port").await?;
    let shared = Shared(Arc::new(Mutex::new(exchange)));
    // A market is there before the doors open.
    shared.lock().step(wall_now());
    write_ready(&serve.ready_file, &shared, port_of(&public)?, port_of(&private)?)?;
    tokio::spawn(accept(public, shared.clone(), Door::Public));
    tokio::spawn(accept(private, shared.clone(), Door::Private));
    let pulse = pulse(shared);
    let limit = serve.run_seconds_max.map(Duration::from_secs);
    tokio::select! {
        fault = pulse => Err(fault),
        ended = told_to_end() => ended,
        () = limit_of(limit) => Ok(()),
    }
}

pub(crate) fn build(serve: &Serve) -> Result<Exchange, Fault> {
    let mut markets: Vec<Market> = Vec::new();
    for (path, id) in serve.instruments.iter().zip(0..) {
        let instrument = config::instrument(path, id)?;
        let name = path.display().to_string();
        if markets.iter().any(|market| market.instrument.symbol == instrument.symbol) {
            return Err(Fault::config(name, format!("{} stands twice", instrument.symbol)));
        }
        let start = config::start_price(&instrument, &serve.start_price)?;
        let seed = serve.seed.wrapping_add(u64::from(id).wrapping_mul(0x9E37_79B9));
        markets.push(Market::new(instrument, start, seed));
    }
    let credentials = config::credentials(&serve.credentials)?;
    let log = WireLog::open(&serve.wire_log)?;
    let mut exchange = Exchange::new(markets, credentials, serve.seed, log);
    exchange.transfers = serve.transfers.as_deref().map(Transfers::of);
    Ok(exchange)
}

async fn bind(port: u16, option: &str) -> Result<TcpListener, Fault> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) => Err(Fault {
            kind: FaultKind::Temporary,
            subject: format!("{option} {address}"),
            cause: error.to_string(),
            next: "stop what holds the port, or take another (0 = any free one)".to_owned(),
        }),
    }
}

fn port_of(listener: &TcpListener) -> Result<u16, Fault> {
    let address = listener.local_addr();
    address.map(|address| address.port()).map_err(|error| Fault {
        kind: FaultKind::Temporary,
        ..Fault::unavailable("listener", error.to_string())
    })
}

/// Written beside and renamed, so that a reader never sees half of it.
fn write_ready(path: &Path, shared: &Shared, public: u16, private: u16) -> Result<(), Fault> {
    let door =
        |port: u16| Object::new().text("host", "127.0.0.1").count("port", u64::from(port)).done();
    let symbols: Vec<String> = {
        let exchange = shared.lock();
        exchange.markets.iter().map(|market| market.instrument.symbol.clone()).collect()
    };
    let text = Object::new()
        .raw("instruments", &serde_json::Value::from(symbols).to_string())
        .count("pid", u64::from(std::process::id()))
        .raw("private", &door(private))
        .raw("public", &door(public))
        .done();
    let beside = path.with_extension("part");
    let written = std::fs::write(&beside, format!("{text}\n"));
    written
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| Fault::unavailable(path.display().to_string(), error.to_string()))
}

async fn accept(listener: TcpListener, shared: Shared, door: Door) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: wait for some to come back.
            tokio::time::sleep(STEP).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            // Answers are small and wanted at once.
            if stream.set_nodelay(true).is_err() {
                return;
            }
            let service = service_fn(move |request| respond(request, shared.clone(), door));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that breaks off is no fault of the exchange.
            drop(connection.with_upgrades().await);
        });
    }
}

/// The market's steps and the heartbeats, until the wire log or a transfer fails.
async fn pulse(shared: Shared) -> Fault {
    let (mut steps, mut beats) = (paced(STEP), paced(HEARTBEAT));
    loop {
        tokio::select! {
            _ = steps.tick() => {
                let mut exchange = shared.lock();
                exchange.step(wall_now());
                if let Err(fault) = exchange.book_transfers(wall_now()) {
                    return fault;
                }
                if let Some(fault) = exchange.log.fault() {
                    return fault;
                }
            }
            _ = beats.tick() => shared.lock().hub.heartbeat(&socket::heartbeat()),
        }
    }
}

fn paced(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}

async fn told_to_end() -> Result<(), Fault> {
    let fault = |error: std::io::Error| Fault::unavailable("signals", error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

async fn limit_of(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}
