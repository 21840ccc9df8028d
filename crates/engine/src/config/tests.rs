use super::*;

mod secrets;

struct Shell;

impl Lookup for Shell {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "ALICE_KEY").then(|| "sk_live_1".into())
    }
    fn file(&self, path: &str) -> Option<String> {
        (path == "token.txt").then(|| "tok\n".into())
    }
}

#[test]
fn identities_of_every_form_are_read() {
    let config = parse(
        "identities:\n  alice: { header: { X-API-Key: '${ALICE_KEY}' }, tenant: acme }\n  bob: { login: { request: POST /login, json: { user: bob, password: pw-4711 }, bearer: $.token } }\n  carol: { basic: 'carol:pw' }\n  dave: { bearer: '@file:token.txt', role: admin }\nrepeatable: [ POST /preview ]\n",
    )
    .unwrap();
    let resolved = config.resolve(&Shell).unwrap();
    let alice = &resolved.identities[0];
    assert_eq!((alice.credentials[0].value.expose(), alice.tenant.as_deref()), ("sk_live_1", Some("acme")));
    let bob = resolved.identities[1].login.as_ref().unwrap();
    assert_eq!(bob.request.body.text(), r#"{"user":"bob","password":"pw-4711"}"#);
    assert_eq!(bob.secrets, [Secret::new("pw-4711")]);
    assert_eq!(resolved.identities[2].credentials[0].value.expose(), "Y2Fyb2w6cHc=");
    assert_eq!(resolved.identities[3].credentials[0].value.expose(), "tok");
    assert!(resolved.repeatable.iter().any(|k| k.to_string() == "POST /preview"));
}

#[test]
fn a_revoked_key_is_read_with_its_time() {
    let text = |at: &str| {
        format!("identities: {{ a: {{ bearer: new, revoked_key: 'Bearer ${{ALICE_KEY}}', revoked_at: '{at}' }} }}")
    };
    let identity = parse(&text("2026-05-01T12:00:00+02:00")).unwrap().resolve(&Shell).unwrap().identities.remove(0);
    let revoked = RevokedKey { value: Secret::new("sk_live_1"), at_ms: Some(1_777_629_600_000) };
    assert_eq!(identity.revoked_key, Some(revoked));
    let error = parse(&text("yesterday")).unwrap().resolve(&Shell).unwrap_err();
    assert_eq!(error.to_string(), "`identities.a.revoked_at` is not a time such as `2026-05-01T12:00:00Z`");
    let alone = parse("identities: { a: { bearer: x, revoked_at: '2026-05-01T12:00:00Z' } }").unwrap();
    assert!(alone.resolve(&Shell).is_err());
}

#[test]
fn an_unknown_key_names_the_nearest_and_no_error_repeats_a_value() {
    let error = parse("identites: { a: { bearer: s3cr3t-value } }").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean `identities`?"));
    for text in [
        "identities: s3cr3t-value",
        "identities: { a: s3cr3t-value }",
        "gate: { min_score: s3cr3t-value }",
        "a: [s3cr3t-value",
        "identities: { a: { signing: { encoding: s3cr3t-value } } }",
    ] {
        let shown = format!("{} {:?}", parse(text).unwrap_err(), parse(text).unwrap_err());
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
    let wrong = parse("identities: { a: { signing: { preset: github, encoding: hexx } } }").unwrap_err();
    assert!(wrong.to_string().contains("at `identities.a.signing.encoding`: it should be one of `hex`"), "{wrong}");
    let missing = parse("identities: { a: { bearer: '${NOT_SET}' } }").unwrap().resolve(&Shell).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "`identities.a.bearer` refers to the environment variable `NOT_SET`, which is not there"
    );
}

#[test]
fn a_sample_is_an_identity_without_a_secret() {
    struct Captured;
    impl Lookup for Captured {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }
        fn file(&self, path: &str) -> Option<String> {
            let signature = "0a".repeat(32);
            (path == "order.http")
                .then(|| format!("GET /orders HTTP/1.1\nX-Api-Key: k-1\nX-Time: 1795299533\nX-Mac: {signature}\n"))
        }
    }
    let config = parse("identities: { partner: { sample: order.http } }").unwrap();
    let resolved = config.resolve(&Captured).unwrap();
    let signer = resolved.identities[0].signer.as_ref().unwrap();
    assert_eq!(signer.sample().unwrap().bare.target, "/orders");
    let missing = parse("identities: { partner: { sample: other.http } }").unwrap().resolve(&Captured).unwrap_err();
    assert!(missing.to_string().contains("`other.http`"), "{missing}");
    assert!(sample_identity("sample", "GET /orders\nX-Time: 5\n").is_err());
}

fn orders() -> inventory::Inventory {
    let text = r#"{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{
        "/api/v1/orders":{"get":{"responses":{}}},
        "/api/v1/orders/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{}}],"responses":{}}},
        "/health":{"get":{"responses":{}},"post":{"responses":{}}}}}"#;
    inventory::parse("memory:///a.json", text.as_bytes(), &mut inventory::NoLoader).unwrap().0
}

#[test]
fn what_matches_nothing_is_an_error_with_the_nearest() {
    let checks = BTreeSet::from(["sensitive-field", "plain-http"]);
    let matched = |text: &str| parse(text).unwrap().resolve(&Shell).unwrap().matches(&orders(), &checks);
    for (text, says, nearest) in [
        ("public: [GET /heath]", "`public`: there is no operation `GET /heath`", Some("GET /health")),
        ("public: [PUT /health]", "`public`: there is no operation `PUT /health`", Some("GET /health")),
        ("shared: [GET /orders]", "`shared`: there is no operation `GET /orders`", Some("GET /api/v1/orders")),
        ("repeatable: [POST /nothing-like-it]", "`repeatable`: there is no operation `POST /nothing-like-it`", None),
        (
            "values: { 'GET /orders/{id}': { id: 7 } }",
            "`values`: there is no operation `GET /orders/{id}`",
            Some("GET /api/v1/orders/{id}"),
        ),
        (
            "values: { 'GET /api/v1/orders/{id}': { Id: 7 } }",
            "`values.GET /api/v1/orders/{id}`: there is no parameter `Id`",
            Some("id"),
        ),
        (
            "suppress: [{ check: sensitve-field, reason: r }]",
            "`suppress`: there is no check `sensitve-field`",
            Some("sensitive-field"),
        ),
        (
            "suppress: [{ check: plain-http, operation: GET /helth, reason: r }]",
            "`suppress`: there is no operation `GET /helth`",
            Some("GET /health"),
        ),
    ] {
        let error = matched(text).unwrap_err();
        assert_eq!(error.to_string(), says);
        let hint = error.hint().unwrap();
        match nearest {
            Some(nearest) => assert_eq!(hint, format!("did you mean `{nearest}`?")),
            None => assert!(!hint.contains("did you mean"), "{hint}"),
        }
    }
    for text in [
        "public: [get /health]",
        "values: { 'GET /api/v1/orders/{id}': { id: 7 }, 'POST /health': { body: {} } }",
        "suppress: [{ check: plain-http, operation: GET /health, reason: r, until: 2999-12-31 }]",
    ] {
        assert_eq!(matched(text), Ok(()), "{text}");
    }
}

#[test]
fn a_suppression_ends_on_a_day_or_is_refused() {
    let until = |text: &str| {
        let config = format!("suppress: [{{ check: plain-http, reason: r, until: '{text}' }}]");
        parse(&config).unwrap().resolve(&Shell).map(|resolved| resolved.ignored[0].suppression.until.clone())
    };
    for day in ["2026-11-30", "2999-12-31", "2028-02-29"] {
        assert_eq!(until(day).unwrap().as_deref(), Some(day));
    }
    for other in [
        "31.12.2020",
        "yesterday",
        "12/31/2020",
        "2020-13-45",
        "2020-2-30",
        "2027-02-29",
        "never",
        "2020",
        "99991231",
        "",
        " 2026-11-30",
        "2026-11-30T00:00:00Z",
        "+026-11-30",
        "2026-11- 3",
    ] {
        let error = until(other).unwrap_err().to_string();
        assert_eq!(error, "`suppress.until` is not a day such as `2027-01-31`", "{other}");
    }
}

#[test]
fn a_credential_that_holds_nothing_is_refused_and_not_repeated() {
    let resolve = |identity: &str| parse(&format!("identities: {{ a: {identity} }}")).unwrap().resolve(&Shell);
    for empty in [
        "{ header: { X-API-Key: '' } }",
        "{ header: { X-API-Key: '   ' } }",
        "{ header: { Authorization: 'Bearer ' } }",
        "{ bearer: '' }",
        "{ query: { key: '' } }",
        "{ cookie: { sid: ' ' } }",
    ] {
        assert!(resolve(empty).unwrap_err().to_string().ends_with("is empty"), "{empty}");
    }
    // Written as it came from the shell.
    for literal in ["$API_KEY", "$(API_KEY)", "%API_KEY%", "{{ api_key }}", "$env:API_KEY"] {
        let error = resolve(&format!("{{ header: {{ X-API-Key: '{literal}' }} }}")).unwrap_err().to_string();
        assert_eq!(error, "the value of `identities.a.X-API-Key` is the name of a variable that was not expanded");
    }
    for sound in ["$ecret-password", "100%", "pa$$WORD", "{{}}", "$1$abc$def"] {
        assert!(resolve(&format!("{{ header: {{ X-API-Key: '{sound}' }} }}")).is_ok(), "{sound}");
    }
}
