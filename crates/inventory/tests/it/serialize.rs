use inventory::{Inventory, Parameter, ParameterLocation, ParameterStyle, serialize_parameter};
use serde_json::{Value, json};

/// The description's own table: `color` empty, a text, a list and an object.
fn serialized(location: ParameterLocation, style: ParameterStyle, explode: bool, value: &Value) -> String {
    let inventory = Inventory::single("get", "/{color}");
    let parameter = Parameter { location, style, explode, ..inventory.operations[0].parameters[0].clone() };
    let pairs = serialize_parameter(&parameter, value);
    match location {
        ParameterLocation::Path | ParameterLocation::Header => pairs
            .into_iter()
            .map(|(name, text)| {
                assert_eq!(name, "color");
                text
            })
            .collect(),
        ParameterLocation::Query | ParameterLocation::Cookie => {
            pairs.into_iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join("&")
        }
    }
}

#[test]
fn values_are_written_as_the_specification_shows() {
    use ParameterLocation::{Header, Path, Query};
    use ParameterStyle::{DeepObject, Form, Label, Matrix, PipeDelimited, Simple, SpaceDelimited, TabDelimited};
    let text = json!("blue");
    let list = json!(["blue", "black", "brown"]);
    let object = json!({ "R": 100, "G": 200, "B": 150 });
    for (location, style, explode, value, expected) in [
        (Path, Matrix, false, &json!(""), ";color"),
        (Path, Matrix, false, &text, ";color=blue"),
        (Path, Matrix, false, &list, ";color=blue,black,brown"),
        (Path, Matrix, false, &object, ";color=R,100,G,200,B,150"),
        (Path, Matrix, true, &list, ";color=blue;color=black;color=brown"),
        (Path, Matrix, true, &object, ";R=100;G=200;B=150"),
        (Path, Label, false, &text, ".blue"),
        (Path, Label, false, &list, ".blue,black,brown"),
        (Path, Label, false, &object, ".R,100,G,200,B,150"),
        (Path, Label, true, &list, ".blue.black.brown"),
        (Path, Label, true, &object, ".R=100.G=200.B=150"),
        (Path, Simple, false, &text, "blue"),
        (Path, Simple, false, &list, "blue,black,brown"),
        (Path, Simple, false, &object, "R,100,G,200,B,150"),
        (Header, Simple, true, &object, "R=100,G=200,B=150"),
        (Header, Simple, false, &Value::Null, ""),
        (Query, Form, false, &text, "color=blue"),
        (Query, Form, false, &json!(""), "color="),
        (Query, Form, false, &list, "color=blue,black,brown"),
        (Query, Form, false, &object, "color=R,100,G,200,B,150"),
        (Query, Form, true, &list, "color=blue&color=black&color=brown"),
        (Query, Form, true, &object, "R=100&G=200&B=150"),
        (Query, Form, true, &Value::Null, ""),
        (Query, Form, true, &json!([]), ""),
        (Query, SpaceDelimited, false, &list, "color=blue black brown"),
        (Query, PipeDelimited, false, &list, "color=blue|black|brown"),
        (Query, PipeDelimited, false, &object, "color=R|100|G|200|B|150"),
        (Query, TabDelimited, false, &list, "color=blue\tblack\tbrown"),
        (Query, DeepObject, true, &object, "color[R]=100&color[G]=200&color[B]=150"),
        (
            Query,
            DeepObject,
            true,
            &json!({ "a": { "b": true }, "c": [1, 2] }),
            "color[a][b]=true&color[c]=1&color[c]=2",
        ),
        (Query, Form, true, &json!([{ "a": 1 }]), "color={\"a\":1}"),
    ] {
        assert_eq!(serialized(location, style, explode, value), expected, "{location} {style:?} {explode} {value}");
    }
}

#[test]
fn a_parameter_with_a_media_type_carries_json() {
    let inventory = Inventory::single("get", "/{filter}");
    let location = ParameterLocation::Query;
    let content = Some("application/json; charset=utf-8".to_owned());
    let parameter = Parameter { location, content, ..inventory.operations[0].parameters[0].clone() };
    assert_eq!(
        serialize_parameter(&parameter, &json!({ "a": "b" })),
        [("filter".to_owned(), r#"{"a":"b"}"#.to_owned())]
    );
    assert_eq!(serialize_parameter(&parameter, &json!("x")), [("filter".to_owned(), "\"x\"".to_owned())]);
    let parameter = Parameter { content: Some("text/plain".to_owned()), ..parameter };
    assert_eq!(serialize_parameter(&parameter, &json!("x")), [("filter".to_owned(), "x".to_owned())]);
}
