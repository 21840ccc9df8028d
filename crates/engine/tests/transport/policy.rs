//! Which addresses may be dialed.

use super::*;

async fn policy_answer(typed: &str, dialed: &str) -> Kind {
    let typed: Origin = typed.parse().unwrap();
    let dialed = Origin { secure: false, host: dialed.into(), port: 9 };
    let settings = Settings { timeout: Duration::from_millis(200), ..settings(&typed) };
    let received = Transport::new(settings).unwrap().exchange(&dialed, &Request::get("/"), false).await;
    error(&received).kind
}

#[tokio::test]
async fn an_address_outside_the_policy_is_refused_in_every_form() {
    let loopback =
        ["127.0.0.1", "0x7f.1", "2130706433", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost", "127.1"];
    for host in loopback {
        assert_eq!(policy_answer("https://api.example.com", host).await, Kind::Policy, "{host}");
    }
    let never = ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "::", "224.0.0.1", "fe80::1", "0xa9fea9fe"];
    for host in never {
        for typed in ["https://api.example.com", "http://localhost", "http://10.0.0.1"] {
            assert_eq!(policy_answer(typed, host).await, Kind::Policy, "{typed} {host}");
        }
    }
    for (typed, host) in [
        ("http://localhost:5000", "93.184.216.34"),
        ("http://10.0.0.1", "93.184.216.34"),
        ("http://93.184.216.34", "10.0.0.1"),
        ("http://93.184.216.34", "::ffff:10.0.0.1"),
        ("http://169.254.1.1", "127.0.0.1"),
    ] {
        assert_eq!(policy_answer(typed, host).await, Kind::Policy, "{typed} {host}");
    }
    // Allowed, and so tried.
    for host in ["127.0.0.1", "0x7f.1", "localhost"] {
        assert_eq!(policy_answer("http://localhost", host).await, Kind::Connect, "{host}");
    }
}

#[test]
fn the_policy_follows_from_the_typed_origin() {
    let allows = |typed: &str, address: &str| {
        Policy::for_origin(&typed.parse().unwrap()).allows(address.parse::<IpAddr>().unwrap())
    };
    assert!(allows("http://169.254.10.1", "169.254.10.1") && !allows("http://169.254.10.1", "169.254.169.254"));
    assert!(allows("http://[::ffff:10.0.0.1]", "10.0.0.1"));
    assert!(allows("http://api.local", "10.0.0.1") && !allows("http://api.local", "1.1.1.1"));
    assert!(allows("http://shop.test", "127.0.0.1") && !allows("http://contest", "1.1.1.1"));
    assert!(allows("http://my-local.example", "1.1.1.1") && !allows("http://example.com", "127.0.0.1"));
    assert!(!Policy::public_only().allows("10.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn a_name_goes_to_the_address_that_the_user_set_for_it() {
    let served = http(|request| ok(request.headers()["host"].as_bytes().to_vec())).await;
    let origin = Origin { host: "api.example.com".into(), ..served.clone() };
    let resolve = vec![(origin.host.clone(), origin.port, Ipv4Addr::LOCALHOST.into())];
    let transport = Transport::new(Settings { resolve, ..settings(&origin) }).unwrap();
    let received = transport.exchange(&origin, &Request::get("/"), false).await;
    assert_eq!(response(&received).body.text(), format!("api.example.com:{}", served.port));
}
