//! Where descriptions lie, and what looks like one.

use std::sync::LazyLock;

use regex::Regex;

/// Returns the paths where an API usually serves its description, the most common first.
///
/// **Source**: the documentation of the framework named beside each path.
pub fn usual_places() -> &'static [&'static str] {
    &[
        "/openapi.json",             // FastAPI and most others
        "/swagger.json",             // Flask-RESTX, go-swagger, Swagger tools
        "/v3/api-docs",              // springdoc-openapi
        "/swagger/v1/swagger.json",  // ASP.NET, Swashbuckle
        "/openapi/v1.json",          // ASP.NET, Microsoft.AspNetCore.OpenApi
        "/api-docs",                 // swagger-ui-express, swagger-jsdoc
        "/api-json",                 // NestJS, documentation mounted at /api
        "/docs-json",                // NestJS, documentation mounted at /docs
        "/apispec_1.json",           // flasgger
        "/spec.json",                // httpbin, Flask-Swagger
        "/openapi/openapi.json",     // flask-openapi3
        "/api/schema/",              // drf-spectacular
        "/api/openapi.json",         // Django Ninja mounted at /api, others behind a prefix
        "/openapi.yaml",             // written by hand, Connexion
        "/openapi.yml",              // written by hand
        "/swagger.yaml",             // written by hand
        "/v2/api-docs",              // springfox
        "/v2/swagger.json",          // the Swagger petstore
        "/swagger/doc.json",         // swaggo for Gin, Echo and Fiber
        "/docs/openapi.json",        // FastAPI and others, documentation mounted at /docs
        "/schema/openapi.json",      // Litestar
        "/docs/json",                // @fastify/swagger-ui mounted at /docs
        "/documentation/json",       // @fastify/swagger
        "/swagger/json",             // Elysia with @elysiajs/swagger
        "/openapi/json",             // Elysia with @elysiajs/openapi
        "/doc",                      // @hono/zod-openapi
        "/docs/api.json",            // Scramble for Laravel
        "/docs",                     // L5-Swagger, as JSON
        "/q/openapi",                // Quarkus, SmallRye
        "/openapi",                  // MicroProfile OpenAPI (Open Liberty, Helidon)
        "/api-docs/openapi.json",    // utoipa
        "/api/swagger.json",         // Flask-RESTX mounted at /api
        "/api/v1/openapi.json",      // FastAPI's full-stack template
        "/api/openapi",              // phoenix open_api_spex
        "/api-docs/v1/swagger.yaml", // rswag for Rails
        "/swagger_doc",              // grape-swagger
        "/.well-known/openapi.json", // by analogy to RFC 8615; no registration
    ]
}

/// Says cheaply whether bytes may be an API description: JSON or YAML that has the member
/// `openapi` or `swagger`. A document that says yes may still not parse.
pub fn looks_like_description(bytes: &[u8]) -> bool {
    static VERSION: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
        regex::bytes::Regex::new(r#"(?-u)["']?\b(?:openapi|swagger)["']?\s*:\s*["']?[1-9]"#)
            .expect("the pattern is constant")
    });
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    first != Some(&b'<') && VERSION.is_match(bytes)
}

/// Returns the references to descriptions in a documentation page, as written and in order: those
/// of Swagger UI, ReDoc, RapiDoc, Scalar, Stoplight Elements, and `service-desc` links.
///
/// **Source**: the configuration pages of these tools; RFC 8631 for `service-desc`.
pub fn description_links(html: &str) -> Vec<String> {
    static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?:["']?\b(?:url|configUrl|specUrl|spec_url)["']?\s*:|\bRedoc\.init\s*\()\s*["'`]([^"'`<>\s]+)["'`]"#,
        )
        .expect("the pattern is constant")
    });
    static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\s(?:spec-url|apiDescriptionUrl|data-spec-url|data-url)\s*=\s*["']([^"'<>]+)["']"#)
            .expect("the pattern is constant")
    });
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)<link\b[^>]*>").expect("the pattern is constant"));
    static SERVICE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\brel\s*=\s*["']?[^"'>]*\bservice-desc\b"#).expect("the pattern is constant")
    });
    static HREF: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\bhref\s*=\s*["']?([^"'\s>]+)"#).expect("the pattern is constant"));

    let mut found: Vec<(usize, String)> = Vec::new();
    for pattern in [&SCRIPT, &ATTRIBUTE] {
        let links = pattern.captures_iter(html).filter_map(|captures| captures.get(1));
        found.extend(links.map(|link| (link.start(), unescape(link.as_str()))));
    }
    for tag in LINK.find_iter(html).filter(|tag| SERVICE.is_match(tag.as_str())) {
        let href = HREF.captures(tag.as_str()).and_then(|captures| captures.get(1));
        found.extend(href.map(|href| (tag.start(), unescape(href.as_str()))));
    }
    found.sort();
    let mut links: Vec<String> = Vec::new();
    for (_, link) in found {
        let is_place = !link.starts_with('#') && !link.starts_with("data:") && !link.starts_with("javascript:");
        if is_place && !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

/// Undoes the escapes of HTML and of JSON that occur in URLs.
fn unescape(link: &str) -> String {
    link.trim().replace("&amp;", "&").replace("\\/", "/").replace("\\u0026", "&")
}
