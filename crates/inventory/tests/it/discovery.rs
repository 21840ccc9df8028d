use inventory::{description_links, looks_like_description, usual_places};

use crate::documents::{bytes, folder};

#[test]
fn descriptions_are_told_from_other_documents() {
    for (text, expected) in [
        ("{\n  \"swagger\" : \"2.0\"", true),
        ("{\"components\":{},\"openapi\":\"3.1.0\"}", true),
        ("openapi: 3.0.0\ninfo:", true),
        ("# comment\n'openapi': '3.0.0'", true),
        ("<script>const spec = {\"openapi\": \"3.0.0\"}</script>", false),
        ("{\"error\": \"openapi not found\"}", false),
        ("{\"name\": \"swagger-ui\", \"version\": \"5.0.0\"}", false),
        ("", false),
    ] {
        assert_eq!(looks_like_description(text.as_bytes()), expected, "{text}");
    }
    for name in ["v3.0/uspto.json", "v3.0/uspto.yaml", "v2.0/yaml/uber.yaml"] {
        assert!(looks_like_description(&bytes(&folder().join(name))), "{name}");
    }
}

#[test]
fn usual_places_are_paths_without_repetition() {
    let mut places = usual_places().to_vec();
    assert!(places.iter().all(|place| place.starts_with('/')));
    let count = places.len();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), count);
}

#[test]
fn links_are_found_in_the_pages_of_each_tool() {
    for (page, expected) in [
        (
            "<script>const ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui' })</script>",
            vec!["/openapi.json"],
        ),
        (
            r#"SwaggerUIBundle({"configUrl":"\/v3\/api-docs\/swagger-config","url":"x"})"#,
            vec!["/v3/api-docs/swagger-config", "x"],
        ),
        (
            r#"urls: [{"url": "v1/swagger.json", "name": "V1"}, {"url": "v2/swagger.json"}]"#,
            vec!["v1/swagger.json", "v2/swagger.json"],
        ),
        (
            "<redoc spec-url='https://a.example/openapi.yaml?a=1&amp;b=2'></redoc>",
            vec!["https://a.example/openapi.yaml?a=1&b=2"],
        ),
        ("<rapi-doc spec-url=\"/spec\"></rapi-doc> <redoc spec-url=\"/spec\">", vec!["/spec"]),
        ("<script>Redoc.init('swagger.json', {}, document.body)</script>", vec!["swagger.json"]),
        ("<elements-api apiDescriptionUrl=\"api.yaml\" router=\"hash\" />", vec!["api.yaml"]),
        ("<script id=\"api-reference\" data-url=\"/openapi.json\"></script>", vec!["/openapi.json"]),
        ("<link href=\"/api.json\" rel=\"alternate service-desc\"><link rel=stylesheet href=a.css>", vec!["/api.json"]),
        ("<a href=\"/openapi.json\">no tool</a> curl: 'x' data-url='data:text/plain,x'", vec![]),
    ] {
        assert_eq!(description_links(page), expected, "{page}");
    }
}
