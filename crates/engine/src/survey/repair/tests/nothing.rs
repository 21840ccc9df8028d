//! Bodies that must not be read as complaints.

use super::*;

#[test]
fn refusals_that_no_value_repairs_by_their_status() {
    let body = r#"{"detail":[{"type":"missing","loc":["query","q"],"msg":"Field required"}]}"#;
    for status in [200, 201, 301, 401, 403, 404, 405, 415, 429, 502, 503] {
        assert_eq!(read(status, body), [], "of {status}");
    }
    assert_eq!(read(422, body).len(), 1);
    assert_eq!(read(500, body).len(), 1);
}

#[test]
fn authentication_missing_objects_and_rate_limits() {
    for body in [
        r#"{"detail":"Authentication credentials were not provided."}"#,
        r#"{"message":"Missing Authentication Token"}"#,
        r#"{"error":"Authorization header is required"}"#,
        r#"{"error":"Missing API key"}"#,
        r#"{"error":"api_key is required"}"#,
        r#"{"error":"Missing required header: X-API-Key"}"#,
        r#"{"error":"missing header: Authorization"}"#,
        r#"{"error":"X-API-Key header is missing"}"#,
        r#"{"message":"API key is missing"}"#,
        r#"{"error":"token is required"}"#,
        r#"{"error":"Missing bearer token"}"#,
        r#"{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"Token is invalid or expired"}]}"#,
        r#"{"error":"invalid_token","error_description":"The access token is invalid"}"#,
        r#"{"detail":[{"type":"missing","loc":["header","authorization"],"msg":"Field required","input":null}]}"#,
        r#"{"errors":[{"code":"required","message":"Unauthorized","path":"/v1/pets"}]}"#,
        r#"{"message":"'X-API-Key' header required","errors":[{"path":"/v1/pets","message":"'X-API-Key' header required"}]}"#,
        r#"{"message":"User must be logged in"}"#,
        r#"{"message":"You must be an admin"}"#,
        r#"{"error":"CSRF token missing or incorrect."}"#,
        r#"{"detail":"Not found."}"#,
        r#"{"error":"User not found"}"#,
        r#"{"owner":["Invalid pk \"5\" - object does not exist."]}"#,
        r#"{"email":["user with this email already exists."]}"#,
        r#"{"message":"Validation Failed","errors":[{"resource":"Issue","field":"milestone","code":"missing"}]}"#,
        r#"{"message":"Rate limit exceeded: at most 10 requests per minute"}"#,
        r#"{"error":"Too many requests, limit must be less than 10"}"#,
        r#"{"message":"Request failed with status code 400"}"#,
        r#"{"name":"BadRequest","message":"Bad Request","code":400,"className":"bad-request"}"#,
        r#"{"error":"Bad Request","status":400,"path":"/api/items","message":""}"#,
        r#"{"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting property name enclosed in double quotes"}}]}"#,
        r#"{"error":"Cannot read properties of undefined (reading 'id')"}"#,
        r#"{"message":"Something is required to happen here, please contact support"}"#,
        r#"{"error":"You must specify an account"}"#,
        r#"{"message":"Internal server error"}"#,
        r#"{"error":"KeyError: 'rows'"}"#,
        r#"{"message":"Unexpected token o in JSON at position 1"}"#,
        r#"{"id":1,"name":"limit","description":"must be an integer"}"#,
        "null",
        "[]",
        "{}",
        "",
    ] {
        reads(body, &[]);
    }
}

#[test]
fn other_languages() {
    reads_text("Der Parameter 'limit' muss eine Zahl zwischen 1 und 100 sein", &[]);
    reads_text("Pflichtfeld fehlt: Name. Bitte geben Sie einen Namen ein.", &[]);
    reads(r#"{"fehler":"Ungültiger Wert für limit"}"#, &[]);
    reads(r#"{"message":"Le champ nom est obligatoire."}"#, &[]);
}

#[test]
fn markup() {
    for (media_type, body) in [
        (
            "application/problem+xml",
            r#"<?xml version="1.0"?><problem xmlns="urn:ietf:rfc:7807"><detail>limit must be an integer</detail></problem>"#,
        ),
        (
            "application/xml",
            "<Error><Code>MissingParameter</Code><Message>The request must contain the parameter Action</Message></Error>",
        ),
        ("text/html", "<!doctype html><title>400 Bad Request</title><h1>Bad Request</h1><p>name is required</p>"),
        ("text/html", "<html><body><pre>KeyError: 'rows'</pre></body></html>"),
    ] {
        assert_eq!(complaints(&answer(400, media_type, body)), [], "of {body}");
    }
}

#[test]
fn hostile_bodies_end_soon() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    reads(&deep, &[]);
    let wide: Vec<Value> = (0..500).map(|n| json!({"field": format!("f{n}"), "code": "required"})).collect();
    assert_eq!(read(400, &json!({"errors": wide}).to_string()).len(), 20);
    let nested = (0..10).fold("x must be an integer".to_string(), |inner, _| json!({"message": inner}).to_string());
    assert!(read(400, &nested).len() <= 1);
    assert_eq!(complaints(&answer(400, "text/plain", &"a must be ".repeat(100_000))), []);
}
