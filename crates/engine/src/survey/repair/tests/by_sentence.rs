//! Frameworks that answer with a sentence.

use super::*;

fn message(text: &str) -> String {
    json!({"statusCode": 400, "error": "Bad Request", "message": text}).to_string()
}

fn detail(text: &str) -> String {
    json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": text, "instance": "/items"})
        .to_string()
}

#[test]
fn connexion_and_jsonschema() {
    reads(&detail("'name' is a required property"), &[("name", None, Wish::Present)]);
    reads(&detail("'zip' is a required property - 'address'"), &[("/address/zip", None, Wish::Present)]);
    reads(&detail("Missing query parameter 'limit'"), &[("limit", QUERY, Wish::Present)]);
    reads(&detail("Wrong type, expected 'integer' for query parameter 'limit'"), &[("limit", QUERY, Wish::Integer)]);
    reads(&detail("Wrong type, expected 'integer' for path parameter 'id'"), &[("id", PATH, Wish::Integer)]);
    reads(&detail("'x' is not one of ['open', 'closed'] - 'status'"), &[("status", None, one_of(&["open", "closed"]))]);
    reads(&detail("'abc' is not of type 'integer' - 'age'"), &[("age", None, Wish::Integer)]);
    reads(&detail("0 is less than the minimum of 1 - 'limit'"), &[("limit", None, Wish::AtLeast(1.0))]);
    reads(&detail("Extra query parameter(s) foo not in spec"), &[("foo", QUERY, Wish::Absent)]);
    reads(&detail("Additional properties are not allowed ('foo' was unexpected)"), &[("foo", None, Wish::Absent)]);
    reads(&detail("'abc' is not of type 'integer'"), &[]);
}

#[test]
fn spring() {
    reads(
        &message("Required request parameter 'q' for method parameter type String is not present"),
        &[("q", None, Wish::Present)],
    );
    reads(&message("Required String parameter 'q' is not present"), &[("q", None, Wish::Present)]);
    reads(&detail("Required parameter 'q' is not present."), &[("q", None, Wish::Present)]);
    reads(
        &message("Required request header 'X-Tenant' for method parameter type String is not present"),
        &[("X-Tenant", HEADER, Wish::Present)],
    );
    reads(
        &message(
            "Method parameter 'id': Failed to convert value of type 'java.lang.String' to required type 'int'; For input string: \"abc\"",
        ),
        &[("id", None, Wish::Integer)],
    );
    reads(&detail("Failed to convert 'limit' with value: 'abc'"), &[("limit", None, Wish::Integer)]);
    reads(
        &message(
            "JSON parse error: Cannot deserialize value of type `int` from String \"abc\": not a valid `int` value (through reference chain: com.shop.Order[\"age\"])",
        ),
        &[("age", BODY, Wish::Integer)],
    );
    reads(
        &message(
            "JSON parse error: Cannot deserialize value of type `com.shop.Status` from String \"x\": not one of the values accepted for Enum class: [ACTIVE, CLOSED] (through reference chain: com.shop.Order[\"status\"])",
        ),
        &[("status", BODY, one_of(&["ACTIVE", "CLOSED"]))],
    );
    reads(
        &message(
            "Validation failed for argument [0] in public void A.b(C): [Field error in object 'c' on field 'limit': rejected value [0]; codes [Min.c.limit,Min]; arguments [org.springframework.context.support.DefaultMessageSourceResolvable: codes [c.limit,limit]; arguments []; default message [limit],1]; default message [must be greater than or equal to 1]] ",
        ),
        &[("limit", None, Wish::AtLeast(1.0))],
    );
    reads(&message("list.limit: must be greater than or equal to 1"), &[("limit", None, Wish::AtLeast(1.0))]);
    reads(
        &message(
            "Failed to convert value of type 'java.lang.String' to required type 'int'; nested exception is java.lang.NumberFormatException: For input string: \"abc\"",
        ),
        &[],
    );
}

#[test]
fn aspnet_minimal_api() {
    reads(
        &detail("Required parameter \"int page\" was not provided from query string."),
        &[("page", QUERY, Wish::Present)],
    );
    reads(&detail("Failed to bind parameter \"int limit\" from \"abc\"."), &[("limit", None, Wish::Integer)]);
    reads(
        &detail("A value for the 'limit' parameter or property was not provided."),
        &[("limit", None, Wish::Present)],
    );
}

#[test]
fn nestjs_class_validator() {
    reads(
        r#"{"statusCode":400,"message":["limit must be an integer number","limit must not be less than 1","limit must not be greater than 100","name should not be empty","name must be longer than or equal to 3 characters","property foo should not exist","status must be one of the following values: open, closed","address.zip must be a string","email must be an email","id must be a UUID","born must be a valid ISO 8601 date string","code must match /^[A-Z]{2}$/ regular expression","active must be a boolean value","tags must be an array","site must be a URL address"],"error":"Bad Request"}"#,
        &[
            ("limit", None, Wish::Integer),
            ("limit", None, Wish::AtLeast(1.0)),
            ("limit", None, Wish::AtMost(100.0)),
            ("name", None, Wish::Present),
            ("name", None, Wish::AtLeastLong(3)),
            ("foo", None, Wish::Absent),
            ("status", None, one_of(&["open", "closed"])),
            ("/address/zip", None, Wish::Text),
            ("email", None, Wish::Email),
            ("id", None, Wish::Uuid),
            ("born", None, Wish::DateTime),
            ("code", None, Wish::Matching("/^[A-Z]{2}$/".into())),
            ("active", None, Wish::Boolean),
            ("tags", None, Wish::List),
            ("site", None, Wish::Url),
        ],
    );
    reads(&message("Validation failed (numeric string is expected)"), &[]);
}

#[test]
fn fastify() {
    reads(&message("querystring/limit must be integer"), &[("limit", QUERY, Wish::Integer)]);
    reads(&message("querystring must have required property 'q'"), &[("q", QUERY, Wish::Present)]);
    reads(&message("body must have required property 'name'"), &[("name", BODY, Wish::Present)]);
    reads(&message("params/id must match format \"uuid\""), &[("id", PATH, Wish::Uuid)]);
    reads(&message("body/address must have required property 'zip'"), &[("/address/zip", BODY, Wish::Present)]);
    reads(&message("querystring/limit must be >= 1"), &[("limit", QUERY, Wish::AtLeast(1.0))]);
    reads(&message("querystring.limit should be integer"), &[("limit", QUERY, Wish::Integer)]);
    reads(&message("headers must have required property 'x-tenant'"), &[("x-tenant", HEADER, Wish::Present)]);
    reads(&message("body must be object"), &[("", BODY, Wish::Object)]);
    reads(&message("body/kind must be equal to one of the allowed values"), &[("kind", BODY, one_of(&[]))]);
    reads(
        &message("body/name must NOT have fewer than 3 characters, body/age must be number"),
        &[("name", BODY, Wish::AtLeastLong(3)), ("age", BODY, Wish::Number)],
    );
    reads(
        &message("body/code must match pattern \"^[A-Z]{2}$\""),
        &[("code", BODY, Wish::Matching("^[A-Z]{2}$".into()))],
    );
}

#[test]
fn gin_and_other_go() {
    reads(
        r#"{"error":"Key: 'Req.Name' Error:Field validation for 'Name' failed on the 'required' tag\nKey: 'Req.Email' Error:Field validation for 'Email' failed on the 'email' tag\nKey: 'Req.Address.Zip' Error:Field validation for 'Zip' failed on the 'required' tag\nKey: 'Req.Age' Error:Field validation for 'Age' failed on the 'gte' tag"}"#,
        &[("Name", None, Wish::Present), ("Email", None, Wish::Email), ("/Address/Zip", None, Wish::Present)],
    );
    reads(
        r#"{"error":"json: cannot unmarshal string into Go struct field Req.age of type int"}"#,
        &[("age", BODY, Wish::Integer)],
    );
    reads(r#"{"message":"Query argument limit is required, but not found"}"#, &[("limit", QUERY, Wish::Present)]);
    reads(
        r#"{"error":"parameter \"limit\" in query has an error: value is required but missing"}"#,
        &[("limit", QUERY, Wish::Present)],
    );
    reads(r#"{"error":"strconv.ParseInt: parsing \"abc\": invalid syntax"}"#, &[]);
}

#[test]
fn axum_and_actix() {
    reads_text("Failed to deserialize query string: missing field `q`", &[("q", QUERY, Wish::Present)]);
    reads_text(
        "Failed to deserialize query string: limit: invalid digit found in string",
        &[("limit", QUERY, Wish::Integer)],
    );
    reads_text(
        "Failed to deserialize the JSON body into the target type: missing field `name` at line 1 column 2",
        &[("name", BODY, Wish::Present)],
    );
    reads_text(
        "Failed to deserialize the JSON body into the target type: name: invalid type: integer `1`, expected a string at line 1 column 9",
        &[("name", BODY, Wish::Text)],
    );
    reads_text(
        "Failed to deserialize the JSON body into the target type: kind: unknown variant `x`, expected one of `a`, `b` at line 1 column 12",
        &[("kind", BODY, one_of(&["a", "b"]))],
    );
    reads_text("Query deserialize error: missing field `q`", &[("q", QUERY, Wish::Present)]);
}

#[test]
fn aws_and_odata() {
    reads(
        r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"}"#,
        &[("tableName", None, Wish::Present)],
    );
    reads(
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"}"#,
        &[("limit", None, Wish::AtLeast(1.0))],
    );
    reads(
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value 'x' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [COUNT, ALL_ATTRIBUTES]"}"#,
        &[("select", None, one_of(&["COUNT", "ALL_ATTRIBUTES"]))],
    );
    reads(
        r#"{"message":"Missing required request parameters: [limit, page]"}"#,
        &[("limit", None, Wish::Present), ("page", None, Wish::Present)],
    );
    reads(
        r#"{"error":{"code":"","message":"The query parameter 'api-version' is required."}}"#,
        &[("api-version", QUERY, Wish::Present)],
    );
}

#[test]
fn plain_text() {
    reads_text("missing parameter: q", &[("q", None, Wish::Present)]);
    reads_text(
        "limit must be between 1 and 100",
        &[("limit", None, Wish::AtLeast(1.0)), ("limit", None, Wish::AtMost(100.0))],
    );
    reads_text("Missing required query parameter: from", &[("from", QUERY, Wish::Present)]);
    reads_text("Missing required query parameter: since", &[("since", QUERY, Wish::Present)]);
    reads_text(
        "Error: missing required fields: name, email",
        &[("name", None, Wish::Present), ("email", None, Wish::Present)],
    );
    reads(
        r#"{"error":"Email, name and password are required"}"#,
        &[("Email", None, Wish::Present), ("name", None, Wish::Present), ("password", None, Wish::Present)],
    );
    reads(r#"{"error":"Username and password required to proceed, or a key and a secret"}"#, &[]);
    reads(
        r#"{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}"#,
        &[("grant_type", BODY, Wish::Present)],
    );
    reads_text("Invalid limit: must be a positive integer", &[("limit", None, Wish::AtLeast(1.0))]);
    reads(
        r#"{"error":"The parameter 'sort' has an invalid value. Allowed values: asc, desc"}"#,
        &[("sort", None, one_of(&["asc", "desc"]))],
    );
    reads_text("parameter 'limit' must be an integer", &[("limit", None, Wish::Integer)]);
    reads_text(
        "username is required\npassword is required",
        &[("username", None, Wish::Present), ("password", None, Wish::Present)],
    );
    reads(r#"{"error":"Missing 'url' parameter"}"#, &[("url", None, Wish::Present)]);
    reads(r#"{"status":"fail","message":"'password' is a required property"}"#, &[("password", None, Wish::Present)]);
    reads(r#"{"error":"found unpermitted parameter: :foo"}"#, &[("foo", None, Wish::Absent)]);
}

#[test]
fn debug_pages_that_name_the_key() {
    let page = "<!doctype html><html><head><title>werkzeug.exceptions.BadRequestKeyError: 400 Bad Request: The browser (or proxy) sent a request that this server could not understand.\nKeyError: &#39;q&#39;\n // Werkzeug Debugger</title>";
    let said = complaints(&answer(400, "text/html; charset=utf-8", page));
    assert_eq!(said, [Complaint { name: "q".into(), place: None, wish: Wish::Present }]);
}
