//! Prints how fast a search is, beside bare HMAC-SHA-256 over a message of such a length:
//! `cargo run --release -p middlebrick-signing --example rate`.

#![expect(clippy::disallowed_types, reason = "it measures time")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::{Request, Secret};
use signing::infer::{Mode, Options, infer_with};
use signing::{Keyed, PRESETS, Secrets, infer, preset};

/// Time for which bare HMAC is measured.
const BARE: Duration = Duration::from_secs(2);

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sample = sample();
    let secrets = Secrets::Given(vec![Secret::new("not the one")]);

    let options = Options { presets: false, modes: vec![Mode::Hmac], ..Options::default() };
    let (start, worked) = (Instant::now(), cpu_seconds()?);
    let inference = infer_with(&sample, &secrets, &options, &|_, _| {});
    let worked = cpu_seconds()? - worked;
    let searched = inference.tried as f64 / worked;
    writeln!(out, "{}", inference.bounds)?;
    let took = start.elapsed().as_secs_f64();
    writeln!(out, "searched {} strings in {took:.2} s on {cores} cores ({worked:.2} s of work)", inference.tried)?;

    // About a string of five words of the sample; most strings of the search are longer.
    let message = vec![b'a'; 5 * 28 + 4];
    let key = Hmac::<sha2::Sha256>::new_from_slice(b"not the one").expect("any length is fine");
    let prepared = bare(|| {
        let mut mac = key.clone();
        mac.update(black_box(&message));
        black_box(mac.finalize());
    })?;
    let aws = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"not the one");
    let assembled = bare(|| {
        black_box(aws_lc_rs::hmac::sign(&aws, black_box(&message)));
    })?;
    writeln!(out, "search                    {searched:>12.0} strings a second of one core")?;
    writeln!(out, "bare, hmac and sha2       {prepared:>12.0}   search/bare {:.2}", searched / prepared)?;
    writeln!(out, "bare, aws-lc              {assembled:>12.0}   search/bare {:.2}", searched / assembled)?;

    for name in PRESETS.iter().filter(|name| **name != "dpop") {
        let key = "c2VjcmV0LWtleS1ieXRlcy0xMjM0NTY=";
        let keyed = Keyed::new(preset(name).expect("listed"), Secret::new(key), "key-1").expect("the key fits");
        let mut signed = sample.clone();
        signed.headers.remove("X-Signature");
        model::Signer::sign(&keyed, &mut signed, &model::Stamp { unix_ms: 1_700_000_000_000, nonce: "n-17".into() });
        let secrets = Secrets::Given(vec![Secret::new(key)]);
        let start = Instant::now();
        let found = infer(&signed, &secrets, &|_, _| {}).found;
        let names: Vec<&str> = found.iter().map(|f| f.scheme.name.as_str()).collect();
        writeln!(out, "{name:<18} found as {names:?} in {:.1?}", start.elapsed())?;
    }
    Ok(())
}

/// A request with all stamps, a query and a body.
fn sample() -> Request {
    Request { body: r#"{"amount":10,"to":"someone"}"#.into(), ..Request::new("POST", "/v1/orders/a%20b?b=2&a=1%20x") }
        .with_header("Host", "orders-of-eu.api.example.com")
        .with_header("Content-Type", "application/json")
        .with_header("X-Timestamp", "1700000000")
        .with_header("X-Nonce", "7f9c24e8d1b37f9c24e8d1b37f9")
        .with_header("X-Key-Id", "key-of-the-orders-of-alice")
        .with_header("X-Signature", &"ab".repeat(32))
}

/// Calls a second on one core.
fn bare(call: impl Fn()) -> std::io::Result<f64> {
    let (start, worked) = (Instant::now(), cpu_seconds()?);
    let mut count = 0_u64;
    while start.elapsed() < BARE {
        (0..1000).for_each(|_| call());
        count += 1000;
    }
    Ok(count as f64 / (cpu_seconds()? - worked))
}

/// Seconds that the cores worked for this process, so that what else runs on the machine does not
/// count: user time of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> std::io::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after_name.split(' ').nth(11).and_then(|t| t.parse().ok()).unwrap_or(f64::NAN);
    Ok(ticks / 100.0)
}
