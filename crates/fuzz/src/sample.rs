//! Any text as a captured request: HTTP text, a curl command line, HAR.

use model::{Request, Secret, Signer, Stamp};
use signing::infer::{Mode, Options, infer_with};
use signing::{PRESETS, Replayed, Secrets, preset, sample};

/// Longest sample that is searched: what the search costs grows with what there is to sign.
const SEARCHED: usize = 2048;

/// Reads it, replays it and infers its scheme with few words. Nothing panics.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    _ = (sample::curl(&text), sample::http_text(&text), sample::har(&text));
    let Ok(request) = sample::read(&text) else { return };
    let stamp = Stamp { unix_ms: 1_795_299_533_000, nonce: "n".into() };
    if let Ok(mut replayed) = Replayed::new(request.clone(), None) {
        replayed.take_credentials();
        replayed.places();
        let mut bare = replayed.sample().map_or_else(|| Request::get("/"), |sample| sample.bare.clone());
        replayed.sign(&mut bare, &stamp);
        replayed.sign(&mut Request::get("/other?a=b"), &stamp);
    }
    for scheme in PRESETS.into_iter().filter_map(preset) {
        _ = scheme.read(&request);
    }
    if data.len() <= SEARCHED {
        let options = Options { presets: true, modes: vec![Mode::Hmac], words: 2, lines: 3 };
        let secrets = Secrets::Given(vec![Secret::new("secret"), Secret::new("")]);
        infer_with(&request, &secrets, &options, &|_, _| ()).remarks.is_empty();
    }
}
