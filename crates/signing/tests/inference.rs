//! Schemes found from one sample. The samples are signed by Python's `hmac` and `hashlib`, except
//! for DPoP, whose sample is that of RFC 9449.

use model::{Request, Secret, Signer as _, Stamp};
use signing::infer::{Key, Mode, Options, infer_with};
use signing::{Covered, Inference, Inferred, Keyed, Part, Secrets, infer, sample};

const SECRET: &str = "correct horse battery staple";
const BASE64_KEY: &str = "dGhpcnR5LXR3byBieXRlcyBvZiBrZXkgbWF0ZXJpYWw=";

fn read(name: &str) -> Request {
    let path = format!("{}/tests/samples/{name}.http", env!("CARGO_MANIFEST_DIR"));
    sample::read(&std::fs::read_to_string(path).expect("the sample is there")).expect("the sample is readable")
}

fn with(secret: &str) -> Secrets {
    Secrets::Given(vec![Secret::new(secret), Secret::new("a wrong one")])
}

fn only(inference: Inference) -> Inferred {
    assert_eq!(inference.found.len(), 1, "{inference:#?}");
    inference.found.into_iter().next().expect("one is there")
}

/// A search that an unoptimized build finishes in seconds.
fn brief(words: usize, lines: usize) -> Options {
    Options { words, lines, ..Options::default() }
}

/// The sample signed again by the scheme that was found has the same signature.
fn signs_alike(inferred: &Inferred, sample: &Request, secret: &str) {
    let reading = inferred.scheme.read(sample).expect("the scheme reads its own sample");
    let keyed = Keyed::new(inferred.scheme.clone(), Secret::new(secret), reading.key_id.clone().unwrap_or_default());
    let mut again = sample.clone();
    let stamp =
        Stamp { unix_ms: reading.unix_ms.unwrap_or_default(), nonce: reading.nonce.clone().unwrap_or_default() };
    keyed.expect("the secret fits").sign(&mut again, &stamp);
    let signed_again = inferred.scheme.read(&again).expect("what was signed is readable");
    assert_eq!(signed_again.signatures[0], reading.signatures[0], "{}", inferred.scheme.name);
}

#[test]
fn every_preset_is_found_from_one_sample() {
    let presets = [
        ("reference", SECRET),
        ("article", SECRET),
        ("stripe", SECRET),
        ("github", SECRET),
        ("slack", SECRET),
        ("standard-webhooks", BASE64_KEY),
        ("shopify", SECRET),
        ("twilio", SECRET),
        ("binance", SECRET),
        ("coinbase", BASE64_KEY),
        ("kraken", BASE64_KEY),
        ("sigv4", SECRET),
        ("rfc9421", SECRET),
        ("cavage", SECRET),
        ("hawk", SECRET),
        ("oauth1", "cs&ts"),
        ("azure", BASE64_KEY),
    ];
    for (name, secret) in presets {
        let sample = read(name);
        let inferred = only(infer(&sample, &with(secret), &|_, _| {}));
        assert_eq!(inferred.scheme.name, name);
        assert_eq!(inferred.key, Key::Given(0));
        signs_alike(&inferred, &sample, secret);
    }
}

#[test]
fn a_dpop_proof_needs_no_secret() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let sample = Request::new("POST", "/token").with_header("Host", "server.example.com").with_header("DPoP", proof);
    let inferred = only(infer(&sample, &Secrets::Given(Vec::new()), &|_, _| {}));
    assert_eq!((inferred.scheme.name.as_str(), &inferred.key), ("dpop", &Key::InTheRequest));
    assert!(inferred.not_covered.contains(&Part::Query) && inferred.not_covered.contains(&Part::Body));
}

#[test]
fn coverage_says_what_the_articles_signature_leaves_open() {
    let inferred = only(infer(&read("article"), &with(SECRET), &|_, _| {}));
    assert_eq!(inferred.not_covered, [Part::Host, Part::Query, Part::ContentType]);
    assert_eq!(inferred.coverage.state(&Part::Body), Some(Covered::Yes));
    assert_eq!(inferred.coverage.state(&Part::Nonce), Some(Covered::Absent));
    assert!(inferred.proposal[0].contains("host, query, content type"), "{:?}", inferred.proposal);
    let everything = only(infer(&read("reference"), &with(SECRET), &|_, _| {}));
    assert_eq!(everything.not_covered, []);
    assert!(everything.proposal.is_empty(), "{:?}", everything.proposal);
}

#[test]
fn own_schemes_are_found_by_the_grammar() {
    let cases = [
        (
            "custom-lines",
            SECRET,
            r"{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{sha256hex(body)}",
            "hmac-sha256",
            brief(1, 6),
        ),
        ("custom-pipes", SECRET, "{key_id}|{ts}|{path}|{md5b64(body)}", "hmac-sha1", brief(4, 0)),
        ("custom-naive", SECRET, "{ts}{METHOD}{path_query}", "md5-secret-first", brief(3, 0)),
        ("custom-tail", SECRET, "{ts}&{body}&{METHOD}", "sha512-secret-last", brief(3, 0)),
        (
            "custom-hexkey",
            "00112233445566778899aabbccddeeff",
            "{METHOD} {path_query} {body}",
            "hmac-sha384",
            brief(3, 0),
        ),
    ];
    for (name, secret, formula, algorithm, options) in cases {
        let sample = read(name);
        let inferred = only(infer_with(&sample, &with(secret), &options, &|_, _| {}));
        let signing::Canonical::Formula(found) = &inferred.scheme.canonical else { panic!("{name}: no formula") };
        assert_eq!(found.to_string(), formula, "{name}");
        assert_eq!(inferred.scheme.algorithm.to_string(), algorithm, "{name}");
        signs_alike(&inferred, &sample, secret);
    }
}

#[test]
fn the_grammar_alone_finds_presets_that_it_can_say() {
    let options = Options { presets: false, ..brief(4, 0) };
    for (name, formula) in [
        ("article", "{ts}{METHOD}{path}{body}"),
        ("stripe", "{ts}.{body}"),
        ("slack", "v0:{ts}:{body}"),
        ("github", "{body}"),
    ] {
        let inferred = only(infer_with(&read(name), &with(SECRET), &options, &|_, _| {}));
        let signing::Canonical::Formula(found) = &inferred.scheme.canonical else { panic!("{name}: no formula") };
        assert_eq!(found.to_string(), formula, "{name}");
    }
}

#[test]
fn a_weak_secret_is_found_without_any() {
    let sample = read("custom-weak");
    let inferred = only(infer_with(&sample, &Secrets::Weak, &brief(2, 0), &|_, _| {}));
    assert_eq!(inferred.key, Key::Weak("changeme".into()));
    assert!(inferred.proposal[0].contains("replace the secret"), "{:?}", inferred.proposal);
    assert!(inferred.not_covered.contains(&Part::Body));
    let inferred = only(infer(&read("weak-article"), &Secrets::Weak, &|_, _| {}));
    assert_eq!((inferred.scheme.name.as_str(), inferred.key), ("article", Key::Weak("{{shared_secret}}".into())));
}

#[test]
fn a_sample_without_query_and_body_says_that_it_cannot_tell() {
    let inference = infer(&read("bare"), &with(SECRET), &|_, _| {});
    assert!(inference.remarks[0].contains("a query of two parameters"), "{:?}", inference.remarks);
    let options = Options { presets: false, ..brief(4, 0) };
    let inferred = only(infer_with(&read("bare"), &with(SECRET), &options, &|_, _| {}));
    let undecidable: Vec<Part> = inferred.undecidable.iter().map(|(part, _)| part.clone()).collect();
    assert_eq!(undecidable, [Part::Query, Part::ContentType, Part::Body]);
    let (word, others) = &inferred.alike[0];
    assert_eq!(word, "{path}");
    assert_eq!(others, &["{raw_path}", "{path_query}"]);
}

#[test]
fn nothing_found_comes_with_the_bounds() {
    let mut sample = read("bare");
    sample.headers.set("X-Sig", "00".repeat(32));
    let last = std::cell::Cell::new((0, 0));
    let options = Options { modes: vec![Mode::Hmac], ..brief(3, 0) };
    let inference = infer_with(&sample, &with(SECRET), &options, &|done, total| last.set((done, total)));
    assert!(inference.found.is_empty());
    let (done, total) = last.get();
    assert_eq!((inference.tried, done), (total, total), "every planned string was tried");
    assert!(inference.bounds.to_string().contains("up to 3 words in any order"), "{}", inference.bounds);
    sample.headers.remove("X-Sig");
    let inference = infer(&sample, &with(SECRET), &|_, _| {});
    assert_eq!(inference.tried, 0);
    assert!(inference.remarks[0].contains("no header or parameter"), "{:?}", inference.remarks);
}

#[test]
fn a_weak_secret_is_found_whatever_form_the_time_has() {
    for (header, time, signature) in [
        ("Date", "Mon, 30 Nov 2026 22:11:00 GMT", "0d5471dbcaddcf302071bec80d8b8f626fe38807ebe6a0f364b036e1710b9ae3"),
        ("X-Date", "Mon, 30 Nov 2026 22:11:00 GMT", "0d5471dbcaddcf302071bec80d8b8f626fe38807ebe6a0f364b036e1710b9ae3"),
        ("X-Timestamp", "2026-11-30T22:11:00Z", "fdac3ab174091fc688e3b0beeff5fe738ba64e62846edc6efc86daa81c9276aa"),
        ("X-Timestamp", "2026-11-30T22:11:00.250Z", "a3e97132e2f905b0967b67a51c35f2ed936f38b5dff4e5be8b12f89047a214a6"),
        (
            "X-Timestamp",
            "2026-11-30T23:11:00+01:00",
            "e8016d659ccfb5b66dcc542a06ef7127d2af6b9decabdc49d735a9ea68425bda",
        ),
        ("X-Time", "20261130T221100Z", "16915214e1d28a62a34a0f4a6152211010cc649243461777045a178779f204b1"),
        ("X-Time", "1796076660", "e666a53260678b6932ff68183efa840c50895e37ae34aa072789fb2d5b2fbdb3"),
    ] {
        let text = format!("GET /v1/orders HTTP/1.1\nHost: h\n{header}: {time}\nX-Signature: {signature}\n\n");
        let sample = sample::read(&text).expect("the sample is readable");
        let found = infer_with(&sample, &Secrets::Weak, &brief(3, 0), &|_, _| {}).found;
        assert!(found.iter().any(|f| matches!(f.key, Key::Weak(_))), "{header}: {time}");
    }
}

#[test]
fn no_sample_makes_the_search_panic() {
    let hash = "0a".repeat(32);
    let mut samples: Vec<String> = std::fs::read_dir(format!("{}/tests/samples", env!("CARGO_MANIFEST_DIR")))
        .expect("the samples are there")
        .map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a text"))
        .collect();
    samples.sort();
    // Each header twice, the second time cut, quoted, or with another time.
    let twisted = samples.iter().flat_map(|sample| {
        let headers = sample.lines().skip(1).take_while(|line| !line.is_empty());
        let header = headers.filter(|line| line.contains(':')).max_by_key(|line| line.len()).unwrap_or_default();
        let (name, value) = header.split_once(':').unwrap_or_default();
        let half: String = value.chars().take(value.chars().count() / 2).collect();
        [value.to_owned(), half, format!(" t=\"{value}\",s={hash}"), " Mon, 30 Nov 2026 22:11:00 GMT".to_owned()]
            .map(|second| sample.replacen(header, &format!("{header}\n{name}:{second}"), 1))
    });
    let twisted: Vec<String> = twisted.collect();
    let odd = [
        format!(
            "GET /a HTTP/1.1\nAuthorization: a=\"k\",alg=\"x\",sig{hash}\", nonce=\"g2\nAuthorization:c={hash}\n\n"
        ),
        format!("GET /a HTTP/1.1\nAuthorization: S :{hash}:2026-11-30T22:11:00Z\nX-Sig: {hash}\n\n"),
        format!("GET /a?sig={hash}&ts=\u{e9}&ts=2026-11-30T22:11:00Z HTTP/1.1\nX-Time: \u{2028}\n\n"),
        format!("POST /a HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nsig={hash}&sig=x&time=\u{e9}"),
    ];
    for text in samples.iter().chain(&twisted).chain(&odd) {
        let Ok(sample) = sample::read(text) else { continue };
        let secrets = [SECRET, BASE64_KEY, "cs&ts", "changeme"].map(Secret::new);
        _ = infer_with(&sample, &Secrets::Given(secrets.to_vec()), &brief(3, 0), &|_, _| {});
    }
}
