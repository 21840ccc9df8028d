//! Frameworks that answer with a map from names to messages.

use super::*;

#[test]
fn django_rest_framework() {
    reads(
        r#"{"email":["This field is required."],"age":["A valid integer is required."],"status":["\"x\" is not a valid choice."],"when":["Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."],"name":["Ensure this field has no more than 5 characters."]}"#,
        &[
            ("email", None, Wish::Present),
            ("age", None, Wish::Integer),
            ("status", None, one_of(&[])),
            ("when", None, Wish::DateTime),
            ("name", None, Wish::AtMostLong(5)),
        ],
    );
    reads(
        r#"{"address":{"zip":["This field may not be blank."]},"items":[{},{"qty":["Ensure this value is greater than or equal to 1."]}],"id":["Must be a valid UUID."],"on":["Must be a valid boolean."],"message":["This field is required."]}"#,
        &[
            ("/address/zip", None, Wish::Present),
            ("/items/1/qty", None, Wish::AtLeast(1.0)),
            ("id", None, Wish::Uuid),
            ("on", None, Wish::Boolean),
            ("message", None, Wish::Present),
        ],
    );
    reads(r#"[{},{"name":["This field is required."]}]"#, &[("/1/name", None, Wish::Present)]);
    reads(r#"{"tags":["Expected a list of items but got type \"str\"."]}"#, &[("tags", None, Wish::List)]);
    reads(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}"#, &[]);
}

#[test]
fn django_forms_as_json() {
    reads(
        r#"{"email":[{"message":"Enter a valid email address.","code":"invalid"}],"age":[{"message":"Enter a whole number.","code":"invalid"}]}"#,
        &[("email", None, Wish::Email), ("age", None, Wish::Integer)],
    );
}

#[test]
fn flask_restful_reqparse() {
    reads(
        r#"{"message":{"name":"Missing required parameter in the JSON body or the post body or the query string"}}"#,
        &[("name", None, Wish::Present)],
    );
    reads(r#"{"message":{"rate":"invalid literal for int() with base 10: 'abc'"}}"#, &[("rate", None, Wish::Integer)]);
}

#[test]
fn marshmallow_webargs_and_flask_smorest() {
    reads(
        r#"{"code":422,"errors":{"query":{"limit":["Not a valid integer."],"sort":["Must be one of: asc, desc."]},"json":{"name":["Missing data for required field."],"foo":["Unknown field."],"address":{"zip":["Shorter than minimum length 3."]}}},"status":"Unprocessable Entity"}"#,
        &[
            ("limit", QUERY, Wish::Integer),
            ("sort", QUERY, one_of(&["asc", "desc"])),
            ("name", BODY, Wish::Present),
            ("foo", BODY, Wish::Absent),
            ("/address/zip", BODY, Wish::AtLeastLong(3)),
        ],
    );
    reads(
        r#"{"messages":{"query":{"page":["Must be greater than or equal to 1 and less than or equal to 50."]}}}"#,
        &[("page", QUERY, Wish::AtLeast(1.0)), ("page", QUERY, Wish::AtMost(50.0))],
    );
    reads(r#"{"json":{"items":{"0":{"qty":["Not a valid number."]}}}}"#, &[("/items/0/qty", BODY, Wish::Number)]);
    reads(r#"{"query":["This field is required."]}"#, &[("query", None, Wish::Present)]);
}

#[test]
fn aspnet_core() {
    reads(
        r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"errors":{
            "Limit":["The value 'x' is not valid for Limit.","The field Limit must be between 1 and 100."],
            "Name":["The Name field is required."],
            "Email":["The Email field is not a valid e-mail address."],
            "Zip":["The field Zip must match the regular expression '^\\d{5}$'."],
            "Nick":["The field Nick must be a string with a minimum length of 2 and a maximum length of 50."],
            "Address.Street":["The Street field is required."]},"traceId":"00-1"}"#,
        &[
            ("Limit", None, Wish::Integer),
            ("Limit", None, Wish::AtLeast(1.0)),
            ("Limit", None, Wish::AtMost(100.0)),
            ("Name", None, Wish::Present),
            ("Email", None, Wish::Email),
            ("Zip", None, Wish::Matching(r"^\d{5}$".into())),
            ("Nick", None, Wish::AtLeastLong(2)),
            ("Nick", None, Wish::AtMostLong(50)),
            ("/Address/Street", None, Wish::Present),
        ],
    );
    reads(
        r#"{"title":"One or more validation errors occurred.","status":400,"errors":{"$.age":["The JSON value could not be converted to System.Int32. Path: $.age | LineNumber: 0 | BytePositionInLine: 10."],"dto":["The dto field is required."]}}"#,
        &[("age", None, Wish::Integer)],
    );
    reads(
        r#"{"title":"One or more validation errors occurred.","status":400,"errors":{"$":["JSON deserialization for type 'Shop.Order' was missing required properties, including the following: name; total"],"order":["The order field is required."]}}"#,
        &[("name", BODY, Wish::Present), ("total", BODY, Wish::Present)],
    );
}

#[test]
fn rails() {
    reads(
        r#"{"errors":{"name":["can't be blank"],"age":["is not a number"],"role":["is not included in the list"],"title":["is too short (minimum is 3 characters)"],"email":["is invalid"],"price":["must be greater than 0"]}}"#,
        &[
            ("name", None, Wish::Present),
            ("age", None, Wish::Number),
            ("role", None, one_of(&[])),
            ("title", None, Wish::AtLeastLong(3)),
            ("email", None, Wish::Email),
            ("price", None, Wish::AtLeast(1.0)),
        ],
    );
    reads(
        r##"{"status":400,"error":"Bad Request","exception":"#<ActionController::ParameterMissing: param is missing or the value is empty: user>"}"##,
        &[("user", None, Wish::Present)],
    );
    reads(r#"{"error":"param is missing or the value is empty: user"}"#, &[("user", None, Wish::Present)]);
    reads(r#"{"error":"param is missing or the value is empty or invalid: user"}"#, &[("user", None, Wish::Present)]);
    reads(r#"{"errors":["Name can't be blank"]}"#, &[("Name", None, Wish::Present)]);
}

#[test]
fn laravel() {
    reads(
        r#"{"message":"The email field is required. (and 4 more errors)","errors":{"email":["The email field is required."],"status":["The selected status is invalid."],"age":["The age field must be an integer."],"on":["The on field must be true or false."],"nick":["The nick field must be at least 3 characters."],"size":["The size field must not be greater than 100."],"items.0.qty":["The items.0.qty field is required."]}}"#,
        &[
            ("email", None, Wish::Present),
            ("status", None, one_of(&[])),
            ("age", None, Wish::Integer),
            ("on", None, Wish::Boolean),
            ("nick", None, Wish::AtLeastLong(3)),
            ("size", None, Wish::AtMost(100.0)),
            ("/items/0/qty", None, Wish::Present),
        ],
    );
}

#[test]
fn zod_trees_and_flattened_errors() {
    reads(
        r#"{"formErrors":[],"fieldErrors":{"limit":["Expected number, received nan"],"name":["Required"]}}"#,
        &[("limit", None, Wish::Number), ("name", None, Wish::Present)],
    );
    reads(
        r#"{"_errors":[],"address":{"_errors":[],"zip":{"_errors":["Required"]}}}"#,
        &[("/address/zip", None, Wish::Present)],
    );
    reads(
        r#"{"errors":[],"properties":{"address":{"errors":[],"properties":{"zip":{"errors":["Invalid input: expected string, received undefined"]}}}}}"#,
        &[("/address/zip", None, Wish::Present)],
    );
}

#[test]
fn a_map_without_an_envelope_only_if_all_of_it_asks() {
    reads(
        r#"{"email":"must be a valid email address","name":"cannot be blank"}"#,
        &[("email", None, Wish::Email), ("name", None, Wish::Present)],
    );
    reads(r#"{"advice":"must be an integer","greeting":"good morning"}"#, &[]);
}
