//! Every application of the signing lab is one that a configuration can describe.

use std::process::Command;

use lab::apps;
use model::{Request, Signer, Stamp};
use serde_json::Value;

/// What one half of the lab says of its applications.
fn listing(command: &mut Command) -> Result<Vec<Value>, String> {
    let output = command.arg("--list").env("PYTHONDONTWRITEBYTECODE", "1").output();
    let output = output.map_err(|error| format!("{command:?}: {error}; `cargo xtask test` installs it"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{command:?}: {error}"))
}

fn applications() -> Result<Vec<Value>, String> {
    let lab = apps::root().join("e2e/signing");
    let mut python = Command::new(apps::environment().join("bin/python"));
    let mut node = Command::new("node");
    let mut all = listing(python.args(["-m", "signing_lab"]).current_dir(lab.join("python")))?;
    all.extend(listing(node.arg(lab.join("node/main.mjs")))?);
    Ok(all)
}

#[test]
fn every_signing_block_makes_a_signer_whose_signature_is_valid_and_can_be_found() {
    let applications = applications().expect("both halves list their applications");
    assert!(applications.len() > 90, "{}", applications.len());
    let stamp = Stamp { unix_ms: 1_700_000_000_000, nonce: "bm9uY2Utbm9uY2UtMTIz".into() };
    for application in applications.iter().filter(|a| !a["signing"].is_null()) {
        let name = &application["name"];
        let settings: signing::Settings =
            serde_json::from_value(application["signing"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let signer = settings.signer().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut request = Request::new("POST", "/echo").with_json(&serde_json::json!({ "item": "paper" }));
        request.origin = "http://127.0.0.1:5000".parse().ok();
        signer.sign(&mut request, &stamp);
        assert_eq!(signer.check(&request, stamp.unix_ms), Ok(()), "{name}: {request:?}");
        let places = signer.places().unwrap_or_else(|| panic!("{name} has no place for its signature"));
        assert!(places.signature.read(&request).is_some_and(|s| s.len() > 20), "{name}: {places:?}");
        for place in [places.timestamp, places.nonce, places.key_id].iter().flatten() {
            assert!(place.read(&request).is_some_and(|value| !value.is_empty()), "{name}: {place:?}");
        }
        places.signature.write(&mut request, "AAAA");
        assert_eq!(places.signature.read(&request).as_deref(), Some("AAAA"), "{name}");
        assert!(signer.check(&request, stamp.unix_ms).is_err(), "{name}");
    }
}
