//! Overhead of the proxy: each measurement is taken through a forwarder with one worker and, for
//! comparison, on a direct connection to the same backend.
//!
//! `cargo bench --bench forward`; with `-- --test` everything runs once and nothing is measured.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]

#[path = "../tests/forward/support/plans.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod plans;

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sluicegate::forward::Forwarder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use plans::{ANY, id, plan, settings, to};

const MIB: usize = 1024 * 1024;

/// What precedes a request: its length and the length of the answer.
const HEADER: usize = 8;

criterion_group!(benches, forward);
criterion_main!(benches);

fn forward(criterion: &mut Criterion) {
    let backend = backend();
    let (_forwarder, proxy) = start_proxy(backend);
    let ways = [("direct", backend), ("forwarded", proxy)];

    // One question after the other, on a connection that stays.
    let mut group = criterion.benchmark_group("request_response");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(1));
    for size in [64, 4096] {
        for (way, address) in ways {
            let mut client = Client::connect(address);
            group.bench_function(BenchmarkId::new(way, size), |b| {
                b.iter(|| client.exchange(size, size));
            });
        }
    }
    group.finish();

    // Connections, each with one question.
    let mut group = criterion.benchmark_group("connect");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(1));
    for (way, address) in ways {
        group.bench_function(way, |b| b.iter(|| Client::connect(address).exchange(64, 64)));
    }
    group.finish();

    let mut group = criterion.benchmark_group("download");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    group.sample_size(20).throughput(Throughput::Bytes(64 << 20));
    for (way, address) in ways {
        let mut client = Client::connect(address);
        group.bench_function(way, |b| b.iter(|| client.exchange(HEADER, 64 * MIB)));
    }
    group.finish();
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 4096] }
    }

    /// Asks with so many bytes for so many.
    fn exchange(&mut self, request: usize, answer: usize) {
        let lengths = [request, answer].map(|length| u32::try_from(length).unwrap().to_be_bytes());
        self.buffer[..HEADER].copy_from_slice(lengths.as_flattened());
        self.stream.write_all(&self.buffer[..request]).unwrap();
        if answer > self.buffer.len() {
            self.buffer.resize(answer.min(MIB / 4), 0);
        }
        let mut left = answer;
        while left > 0 {
            let limit = left.min(self.buffer.len());
            let read = self.stream.read(&mut self.buffer[..limit]).unwrap();
            assert_ne!(read, 0, "the backend is gone");
            left -= read;
        }
        black_box(&self.buffer);
    }
}

/// Answers questions, in a thread of its own.
fn backend() -> SocketAddr {
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(ANY)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream));
            }
        })
    });
    address
}

async fn answer(mut stream: tokio::net::TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 4096];
    // It fails when the client is gone.
    while stream.read_exact(&mut buffer[..HEADER]).await.is_ok() {
        let length = |at: usize| {
            u32::from_be_bytes(buffer[at..at + HEADER / 2].try_into().unwrap()) as usize
        };
        let (request, mut left) = (length(0), length(HEADER / 2));
        stream.read_exact(&mut buffer[HEADER..request]).await.unwrap();
        if left > buffer.len() {
            buffer.resize(left.min(MIB / 4), 0);
        }
        while left > 0 {
            let chunk = left.min(buffer.len());
            stream.write_all(&buffer[..chunk]).await.unwrap();
            left -= chunk;
        }
    }
}

/// A forwarder in front of `backend`, and where it listens.
fn start_proxy(backend: SocketAddr) -> (Forwarder, SocketAddr) {
    let mut forwarder = Forwarder::start(settings(1)).unwrap();
    runtime().block_on(forwarder.apply(&plan([("tcp", ANY, to(&[backend]))])));
    let address = forwarder.bindings().bound[&id("tcp")][0];
    (forwarder, address)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
