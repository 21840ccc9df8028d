//! Frameworks that answer with a list of error objects.

use super::*;

#[test]
fn pydantic_2_by_way_of_fastapi() {
    reads(
        r#"{"detail":[{"type":"missing","loc":["query","q"],"msg":"Field required","input":null},
            {"type":"int_parsing","loc":["path","item_id"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"foo"},
            {"type":"missing","loc":["body","address","zip"],"msg":"Field required","input":{}},
            {"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}},
            {"type":"less_than","loc":["query","size"],"msg":"Input should be less than 100","input":"100","ctx":{"lt":100}}]}"#,
        &[
            ("q", QUERY, Wish::Present),
            ("item_id", PATH, Wish::Integer),
            ("/address/zip", BODY, Wish::Present),
            ("limit", QUERY, Wish::AtLeast(1.0)),
            ("size", QUERY, Wish::AtMost(99.0)),
        ],
    );
    reads(
        r#"{"detail":[{"type":"enum","loc":["body","items",0,"status"],"msg":"Input should be 'open', 'closed' or 'held'","input":"x","ctx":{"expected":"'open', 'closed' or 'held'"}},
            {"type":"literal_error","loc":["query","sort"],"msg":"Input should be 'asc' or 'desc'","input":"x","ctx":{"expected":"'asc' or 'desc'"}},
            {"type":"value_error","loc":["body","email"],"msg":"value is not a valid email address: An email address must have an @-sign.","input":"x","ctx":{"reason":"An email address must have an @-sign."}},
            {"type":"string_pattern_mismatch","loc":["body","code"],"msg":"String should match pattern '^[A-Z]{2}$'","input":"x","ctx":{"pattern":"^[A-Z]{2}$"}},
            {"type":"string_too_short","loc":["body","name"],"msg":"String should have at least 3 characters","input":"x","ctx":{"min_length":3}},
            {"type":"extra_forbidden","loc":["body","foo"],"msg":"Extra inputs are not permitted","input":1},
            {"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#,
        &[
            ("code", BODY, Wish::Matching("^[A-Z]{2}$".into())),
            ("name", BODY, Wish::AtLeastLong(3)),
            ("foo", BODY, Wish::Absent),
            ("", BODY, Wish::Present),
            ("/items/0/status", BODY, one_of(&["open", "closed", "held"])),
            ("sort", QUERY, one_of(&["asc", "desc"])),
            ("email", BODY, Wish::Email),
        ],
    );
}

#[test]
fn pydantic_1_by_way_of_fastapi() {
    reads(
        r#"{"detail":[{"loc":["query","q"],"msg":"field required","type":"value_error.missing"},
            {"loc":["query","limit"],"msg":"value is not a valid integer","type":"type_error.integer"},
            {"loc":["query","page"],"msg":"ensure this value is greater than or equal to 1","type":"value_error.number.not_ge","ctx":{"limit_value":1}},
            {"loc":["body","kind"],"msg":"value is not a valid enumeration member; permitted: 'a', 'b'","type":"type_error.enum","ctx":{"enum_values":["a","b"]}},
            {"loc":["header","x-tenant"],"msg":"field required","type":"value_error.missing"},
            {"loc":["body","name"],"msg":"ensure this value has at least 3 characters","type":"value_error.any_str.min_length","ctx":{"limit_value":3}}]}"#,
        &[
            ("q", QUERY, Wish::Present),
            ("limit", QUERY, Wish::Integer),
            ("page", QUERY, Wish::AtLeast(1.0)),
            ("kind", BODY, one_of(&["a", "b"])),
            ("x-tenant", HEADER, Wish::Present),
            ("name", BODY, Wish::AtLeastLong(3)),
        ],
    );
}

#[test]
fn spring_boot_binding_errors() {
    reads(
        r#"{"timestamp":"2024-05-01T10:00:00.000+00:00","status":400,"error":"Bad Request","errors":[
            {"codes":["Min.query.limit","Min.limit","Min.int","Min"],"arguments":[{"codes":["query.limit","limit"],"arguments":null,"defaultMessage":"limit","code":"limit"},1],"defaultMessage":"must be greater than or equal to 1","objectName":"query","field":"limit","rejectedValue":0,"bindingFailure":false,"code":"Min"},
            {"codes":["NotBlank.user.name"],"defaultMessage":"must not be blank","objectName":"user","field":"address.zip","rejectedValue":"","bindingFailure":false,"code":"NotBlank"},
            {"defaultMessage":"Failed to convert property value of type 'java.lang.String' to required type 'int' for property 'page'; For input string: \"x\"","objectName":"query","field":"page","rejectedValue":"x","bindingFailure":true,"code":"typeMismatch"},
            {"defaultMessage":"size must be between 3 and 50","objectName":"user","field":"name","rejectedValue":"x","code":"Size"}],
            "message":"Validation failed for object='query'. Error count: 4","path":"/api/items"}"#,
        &[
            ("/address/zip", None, Wish::Present),
            ("limit", None, Wish::AtLeast(1.0)),
            ("page", None, Wish::Integer),
            ("name", None, Wish::AtLeastLong(3)),
            ("name", None, Wish::AtMostLong(50)),
        ],
    );
}

#[test]
fn express_validator() {
    reads(
        r#"{"errors":[{"value":"x","msg":"must be a valid email","param":"email","location":"body"},{"msg":"Invalid value","param":"q","location":"query"}]}"#,
        &[("email", BODY, Wish::Email), ("q", QUERY, Wish::Present)],
    );
    reads(
        r#"{"errors":[{"type":"field","value":"abc","msg":"limit must be an integer","path":"limit","location":"query"},
            {"type":"field","value":"x","msg":"Invalid value","path":"email","location":"body"},
            {"type":"field","value":"x","msg":"Invalid value","path":"nick","location":"body"},
            {"type":"field","msg":"Invalid value","path":"address.zip","location":"body"}]}"#,
        &[("limit", QUERY, Wish::Integer), ("email", BODY, Wish::Email), ("/address/zip", BODY, Wish::Present)],
    );
}

#[test]
fn joi_and_celebrate() {
    reads(
        r#"{"statusCode":400,"error":"Bad Request","message":"Validation failed","validation":{"query":{"source":"query","keys":["limit"],"message":"\"limit\" must be a number"}}}"#,
        &[("limit", QUERY, Wish::Number)],
    );
    reads(
        r#"{"message":"\"status\" must be one of [open, closed]. \"name\" is required","details":[
            {"message":"\"status\" must be one of [open, closed]","path":["status"],"type":"any.only","context":{"valids":["open","closed"],"label":"status","value":"x","key":"status"}},
            {"message":"\"name\" is required","path":["name"],"type":"any.required","context":{"label":"name","key":"name"}},
            {"message":"\"foo\" is not allowed","path":["foo"],"type":"object.unknown","context":{"child":"foo","label":"foo","value":1,"key":"foo"}},
            {"message":"\"age\" must be greater than or equal to 18","path":["age"],"type":"number.min","context":{"limit":18,"value":3,"label":"age","key":"age"}}]}"#,
        &[
            ("status", None, one_of(&["open", "closed"])),
            ("name", None, Wish::Present),
            ("foo", None, Wish::Absent),
            ("age", None, Wish::AtLeast(18.0)),
        ],
    );
    reads(
        r#"{"statusCode":400,"error":"Bad Request","message":"\"name\" is not allowed to be empty"}"#,
        &[("name", None, Wish::Present)],
    );
    reads(
        r#"{"statusCode":400,"error":"Bad Request","message":"\"name\" length must be at least 3 characters long"}"#,
        &[("name", None, Wish::AtLeastLong(3))],
    );
}

#[test]
fn zod_3() {
    reads(
        r#"{"success":false,"error":{"issues":[
            {"code":"invalid_type","expected":"string","received":"undefined","path":["name"],"message":"Required"},
            {"code":"invalid_type","expected":"number","received":"nan","path":["query","limit"],"message":"Expected number, received nan"},
            {"received":"x","code":"invalid_enum_value","options":["a","b"],"path":["kind"],"message":"Invalid enum value. Expected 'a' | 'b', received 'x'"},
            {"validation":"email","code":"invalid_string","message":"Invalid email","path":["email"]},
            {"code":"too_small","minimum":3,"type":"string","inclusive":true,"exact":false,"message":"String must contain at least 3 character(s)","path":["user","nick"]},
            {"code":"too_small","minimum":0,"type":"number","inclusive":false,"exact":false,"message":"Number must be greater than 0","path":["price"]},
            {"code":"unrecognized_keys","keys":["foo"],"path":[],"message":"Unrecognized key(s) in object: 'foo'"}],"name":"ZodError"}}"#,
        &[
            ("name", None, Wish::Present),
            ("limit", QUERY, Wish::Number),
            ("kind", None, one_of(&["a", "b"])),
            ("email", None, Wish::Email),
            ("/user/nick", None, Wish::AtLeastLong(3)),
            ("price", None, Wish::AtLeast(1.0)),
            ("foo", None, Wish::Absent),
        ],
    );
}

#[test]
fn zod_4() {
    let issues = r#"[
            {"expected":"string","code":"invalid_type","path":["name"],"message":"Invalid input: expected string, received undefined"},
            {"expected":"number","code":"invalid_type","received":"NaN","path":["limit"],"message":"Invalid input: expected number, received NaN"},
            {"code":"invalid_value","values":["a","b"],"path":["kind"],"message":"Invalid option: expected one of \"a\"|\"b\""},
            {"origin":"string","code":"invalid_format","format":"email","pattern":"/^x$/","path":["email"],"message":"Invalid email address"},
            {"origin":"string","code":"too_small","minimum":3,"inclusive":true,"path":["nick"],"message":"Too small: expected string to have >=3 characters"},
            {"origin":"number","code":"too_big","maximum":100,"inclusive":true,"path":["size"],"message":"Too big: expected number to be <=100"},
            {"code":"unrecognized_keys","keys":["foo"],"path":[],"message":"Unrecognized key: \"foo\""}]"#;
    let wanted = [
        ("name", None, Wish::Present),
        ("limit", None, Wish::Number),
        ("kind", None, one_of(&["a", "b"])),
        ("email", None, Wish::Email),
        ("nick", None, Wish::AtLeastLong(3)),
        ("size", None, Wish::AtMost(100.0)),
        ("foo", None, Wish::Absent),
    ];
    reads(&format!(r#"{{"issues":{issues}}}"#), &wanted);
    let quoted = json!({"success": false, "error": {"name": "ZodError", "message": issues}}).to_string();
    reads(&quoted, &wanted);
}

#[test]
fn ajv_and_openapi_validators() {
    reads(
        r##"{"errors":[{"instancePath":"/limit","schemaPath":"#/properties/limit/type","keyword":"type","params":{"type":"integer"},"message":"must be integer"},
            {"instancePath":"","schemaPath":"#/required","keyword":"required","params":{"missingProperty":"name"},"message":"must have required property 'name'"},
            {"instancePath":"/address","keyword":"additionalProperties","params":{"additionalProperty":"foo"},"message":"must NOT have additional properties"},
            {"instancePath":"/kind","keyword":"enum","params":{"allowedValues":["a","b"]},"message":"must be equal to one of the allowed values"}]}"##,
        &[
            ("limit", None, Wish::Integer),
            ("name", None, Wish::Present),
            ("/address/foo", None, Wish::Absent),
            ("kind", None, one_of(&["a", "b"])),
        ],
    );
    reads(
        r#"{"message":"request.query should have required property 'type', request.query.limit should be <= 20","errors":[
            {"path":".query.type","message":"should have required property 'type'","errorCode":"required.openapi.validation"},
            {"path":"/query/limit","message":"should be <= 20","errorCode":"maximum.openapi.validation"}]}"#,
        &[("type", QUERY, Wish::Present), ("limit", QUERY, Wish::AtMost(20.0))],
    );
}

#[test]
fn class_validator_objects() {
    reads(
        r#"[{"target":{"limit":"x"},"value":"x","property":"limit","children":[],"constraints":{"isInt":"limit must be an integer number"}},
            {"target":{},"value":{},"property":"address","children":[{"property":"zip","children":[],"constraints":{"isNotEmpty":"zip should not be empty"}}]}]"#,
        &[("limit", None, Wish::Integer), ("/address/zip", None, Wish::Present)],
    );
}

#[test]
fn json_api() {
    reads(
        r#"{"errors":[{"status":"422","source":{"pointer":"/data/attributes/first-name"},"title":"Invalid Attribute","detail":"First name must contain at least two characters."},
            {"status":"400","source":{"parameter":"page[size]"},"title":"Invalid Query Parameter","detail":"page[size] must be between 1 and 100"},
            {"status":"400","source":{"pointer":"/data/attributes/title"},"detail":"can't be blank"}]}"#,
        &[
            ("/data/attributes/first-name", BODY, Wish::Present),
            ("page[size]", QUERY, Wish::AtLeast(1.0)),
            ("page[size]", QUERY, Wish::AtMost(100.0)),
            ("/data/attributes/title", BODY, Wish::Present),
        ],
    );
}

#[test]
fn problem_details() {
    reads(
        r##"{"type":"https://example.net/validation-error","title":"Your request is not valid.","errors":[{"detail":"must be a positive integer","pointer":"#/age"},{"detail":"must be 'green', 'red' or 'blue'","pointer":"#/profile/color"}]}"##,
        &[("age", BODY, Wish::AtLeast(1.0)), ("/profile/color", BODY, one_of(&["green", "red", "blue"]))],
    );
    reads(
        r#"{"type":"https://example.net/validation-error","title":"Your request parameters didn't validate.","invalid-params":[{"name":"age","reason":"must be a positive integer"},{"name":"color","reason":"must be 'green', 'red' or 'blue'"}]}"#,
        &[("age", None, Wish::AtLeast(1.0)), ("color", None, one_of(&["green", "red", "blue"]))],
    );
    reads(
        r#"{"title":"Bad Request","status":400,"invalidParams":[{"name":"limit","in":"query","reason":"is required"}]}"#,
        &[("limit", QUERY, Wish::Present)],
    );
}

#[test]
fn google() {
    reads(
        r#"{"error":{"code":400,"message":"Invalid value at 'page_size' (TYPE_INT32), \"abc\"","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"page_size","description":"Invalid value at 'page_size' (TYPE_INT32), \"abc\""}]}]}}"#,
        &[("page_size", None, Wish::Integer)],
    );
    reads(
        r#"{"error":{"errors":[{"domain":"global","reason":"required","message":"Required parameter: q","locationType":"parameter","location":"q"}],"code":400,"message":"Required parameter: q"}}"#,
        &[("q", None, Wish::Present)],
    );
}

#[test]
fn litestar_symfony_and_fluent_validation() {
    reads(
        r#"{"status_code":400,"detail":"Validation failed for GET /items?limit=x","extra":[{"message":"Expected `int`, got `str`","key":"limit","source":"query"}]}"#,
        &[("limit", QUERY, Wish::Integer)],
    );
    reads(
        r#"{"detail":"name: This value should not be blank.","violations":[{"propertyPath":"name","message":"This value should not be blank.","code":"c1051bb4-d103-4f74-8988-acbcafc7fdc3"}]}"#,
        &[("name", None, Wish::Present)],
    );
    reads(
        r#"{"errors":[{"propertyName":"Email","errorMessage":"'Email' must not be empty.","attemptedValue":"","errorCode":"NotEmptyValidator"}]}"#,
        &[("Email", None, Wish::Present)],
    );
}

#[test]
fn stripe() {
    reads(
        r#"{"error":{"code":"parameter_missing","doc_url":"https://stripe.com/docs/error-codes/parameter-missing","message":"Missing required param: currency.","param":"currency","request_log_url":"https://dashboard.stripe.com/logs/req_1","type":"invalid_request_error"}}"#,
        &[("currency", None, Wish::Present)],
    );
    reads(
        r#"{"error":{"code":"parameter_invalid_integer","message":"Invalid integer: abc","param":"card[exp_year]","type":"invalid_request_error"}}"#,
        &[("/card/exp_year", None, Wish::Integer)],
    );
    reads(
        r#"{"error":{"code":"parameter_unknown","message":"Received unknown parameter: foo","param":"foo","type":"invalid_request_error"}}"#,
        &[("foo", None, Wish::Absent)],
    );
}

#[test]
fn kinto_and_cornice() {
    reads(
        r#"{"errno":107,"message":"_limit in querystring: \"abc\" is not a number","code":400,"error":"Invalid parameters","details":[{"location":"querystring","name":"_limit","description":"\"abc\" is not a number"}]}"#,
        &[("_limit", QUERY, Wish::Number)],
    );
    reads(
        r#"{"status":"error","errors":[{"location":"body","name":"data.title","description":"Required"}]}"#,
        &[("/data/title", BODY, Wish::Present)],
    );
}

#[test]
fn odata_github_mongoose_and_drf_standardized_errors() {
    reads(
        r#"{"error":{"code":"BadRequest","message":"Multiple errors","details":[{"code":"NullValue","target":"Name","message":"Name must not be null"}]}}"#,
        &[("Name", None, Wish::Present)],
    );
    reads(
        r#"{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}],"documentation_url":"https://docs.github.com/rest"}"#,
        &[("title", None, Wish::Present)],
    );
    reads(
        r#"{"errors":{"name":{"name":"ValidatorError","message":"Path `name` is required.","properties":{"message":"Path `name` is required.","type":"required","path":"name"},"kind":"required","path":"name"}},"_message":"User validation failed","name":"ValidationError","message":"User validation failed: name: Path `name` is required."}"#,
        &[("name", None, Wish::Present)],
    );
    reads(
        r#"{"type":"validation_error","errors":[{"code":"required","detail":"This field is required.","attr":"shipping_address.zipcode"}]}"#,
        &[("/shipping_address/zipcode", None, Wish::Present)],
    );
}
