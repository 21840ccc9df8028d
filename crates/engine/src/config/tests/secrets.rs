use super::*;

#[test]
fn whatever_a_sign_in_carries_but_who_it_is_for_is_a_secret() {
    let secret = "Ls7n4Xc9Bm2Vz6Tr1Wp8Ud";
    for (login, is_secret) in [
        (format!("request: POST /login, json: {{ user: bob, password: {secret} }}"), true),
        (format!("request: POST /login, json: {{ user: bob, factors: [ x, {{ code: {secret} }} ] }}"), true),
        ("request: POST /login, json: { user: bob, pin: 471147 }".into(), true),
        (format!("request: 'GET /login?password={secret}'"), true),
        (format!("request: 'GET /login?user={secret}'"), false),
        (format!("request: POST /login, headers: {{ X-Client-Secret: {secret} }}"), true),
        (format!("request: POST /login, headers: {{ Authorization: 'Frob {secret}' }}"), true),
        (format!("request: POST /login, headers: {{ Accept-Language: {secret} }}"), false),
        (format!("request: POST /login, form: {{ login_secret: {secret} }}"), true),
        (format!("request: POST /login, form: {{ account_pin: {secret} }}"), true),
        (format!("request: POST /login, form: {{ user_code: {secret} }}"), true),
        (format!("request: POST /login, form: {{ passphrase: {secret} }}"), true),
        (format!("request: POST /login, form: {{ userName: {secret} }}"), false),
        (format!("request: POST /login, form: {{ customer_email: {secret} }}"), false),
        (format!("request: POST /login, form: {{ account: {secret} }}"), false),
        (format!("request: POST /login, form: {{ client_id: {secret} }}"), false),
    ] {
        let text = format!("identities: {{ a: {{ login: {{ bearer: $.t, {login} }} }} }}");
        let login = parse(&text).unwrap().resolve(&Shell).unwrap().identities.remove(0).login.unwrap();
        let found = login.secrets.iter().any(|known| known.expose() == secret || known.expose() == "471147");
        assert_eq!(found, is_secret, "{text}");
    }
}

#[test]
fn what_is_looked_up_is_known_by_its_name() {
    let text = "headers: { X-Gate: 'v1-${ALICE_KEY}' }\nidentities: { a: { bearer: '@file:token.txt' } }";
    let known = parse(text).unwrap().resolve(&Shell).unwrap().known;
    let shown: Vec<_> = known.iter().map(|k| (k.label.as_str(), k.variable.as_deref(), k.value.expose())).collect();
    assert_eq!(shown, [("file.token.txt", None, "tok"), ("ALICE_KEY", Some("ALICE_KEY"), "sk_live_1")]);
}

#[test]
fn the_scheme_of_an_authorization_header_is_no_secret() {
    for (name, value, prefix, credential) in [
        ("Authorization", "Bearer x1", "Bearer ", "x1"),
        ("Authorization", "Frobnicate x1", "Frobnicate ", "x1"),
        ("Proxy-Authorization", "GenieKey x1", "GenieKey ", "x1"),
        ("Authorization", "Token token=\"x1\"", "Token ", "token=\"x1\""),
        ("Authorization", "Hmac key=a, sig=b", "", "Hmac key=a, sig=b"),
        ("Authorization", "x1", "", "x1"),
        ("X-Api-Key", "two words", "", "two words"),
    ] {
        let read = header_credential(name, value);
        assert_eq!(read.place, Place::Header { name: name.into(), prefix: prefix.into() }, "{value}");
        assert_eq!(read.value.expose(), credential, "{value}");
    }
}
