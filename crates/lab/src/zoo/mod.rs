//! The zoo: servers that fool a scanner which trusts a status, a body, a time or a path. None of them
//! has a flaw, so a scan with every check reports nothing above *info* on any of them, unless the
//! specimen says what it deserves.
//!
//! [`specimens`] is the list. Most serve the same small API of private notes (`notes`), known to the
//! same two people (`credentials`), and differ in what is around it.

mod alike;
mod answer;
mod cached;
mod content;
mod credentials;
mod describe;
mod dialect;
mod echo;
mod envelope;
mod firewall;
mod fresh;
mod login;
mod notes;
mod open;
mod own;
mod routing;
#[cfg(test)]
pub(crate) mod tests;
mod timing;
pub(crate) mod token;
mod web;

use engine::testing::Served;

/// One misleading server.
pub struct Specimen {
    /// The name, in kebab case.
    pub name: &'static str,
    /// One sentence that says what it does and what a scanner would take it for.
    pub why_misleading: &'static str,
    /// Starts it afresh: counters at zero, caches empty, tokens just issued.
    pub serve: fn() -> Served,
    /// The ids of the checks that are right to report something here, each with the reason.
    pub deserves: &'static [(&'static str, &'static str)],
}

/// Every specimen, in the order of the documentation.
pub fn specimens() -> Vec<Specimen> {
    [alike_specimens(), body_specimens(), access_specimens(), web_specimens()].into_iter().flatten().collect()
}

fn alike_specimens() -> Vec<Specimen> {
    vec![
        silent(
            "same-page-for-every-path",
            "Every path answers 200 with one HTML page, so every address seems to exist and to be open.",
            alike::same_page,
        ),
        silent(
            "same-json-for-every-path",
            "Every path answers 200 with one JSON object, so anonymous callers seem to get the data of others.",
            alike::same_json,
        ),
        silent(
            "unauthorized-for-everything",
            "Every request, with credentials too, gets 401, so every protection seems to work.",
            alike::unauthorized,
        ),
        silent(
            "forbidden-for-everything",
            "Every request, with credentials too, gets 403, so every protection seems to work.",
            alike::forbidden,
        ),
        silent(
            "not-found-for-everything",
            "Every request gets 404, so every object of another person seems to be hidden.",
            alike::not_found,
        ),
        silent(
            "too-many-requests-for-everything",
            "Every request gets 429 with `Retry-After: 1`, so it seems to be a rate limit that works.",
            alike::too_many_requests,
        ),
        silent(
            "server-error-for-everything",
            "Every request gets 500, so every payload seems to break the server.",
            alike::server_error,
        ),
        silent(
            "redirect-to-login",
            "Every path redirects to a login page that answers 200, so a client that follows sees success.",
            alike::login_redirect,
        ),
        silent(
            "empty-body",
            "Every request gets 200 and no body, so the answers of two people are equal.",
            alike::empty_body,
        ),
    ]
}

fn body_specimens() -> Vec<Specimen> {
    vec![
        silent(
            "errors-in-200",
            "Refusals are 200 with `success: false` in the body, so a missing credential seems to be accepted.",
            envelope::errors_in_200,
        ),
        silent(
            "graphql-like-errors",
            "Refusals are 200 with `data: null` and `errors`, so a missing credential seems to be accepted.",
            envelope::graphql_like,
        ),
        silent(
            "echo",
            "The public API repeats method, path, query and body, so every payload seems to be reflected or run.",
            echo::without_credentials,
        ),
        Specimen {
            name: "echo-of-everything",
            why_misleading: "The protected API repeats the whole request, the caller's key too, so the value that was sent proves nothing by coming back.",
            serve: echo::of_everything,
            deserves: &[("own-key-in-answer", "the caller's own key is in the body of the answer")],
        },
        silent(
            "random-latency",
            "Each answer takes up to two seconds, at random, so payloads that ask for a delay seem to work.",
            timing::random_latency,
        ),
        silent(
            "slow-drip",
            "Bodies, refusals too, come in small pieces over more than a second, so slowness seems to follow from the payload.",
            timing::slow_drip,
        ),
        silent(
            "hangs-up",
            "Whatever is not a plain request ends the connection without an answer, so payloads seem to crash the server.",
            timing::hangs_up,
        ),
        silent(
            "another-body-each-time",
            "Every answer has a counter, a request id, the time and random tokens, so no two bodies are equal.",
            fresh::another_body_each_time,
        ),
        silent(
            "cached-documents",
            "Public documents come from a cache with `Age` and `ETag`, so anonymous callers seem to get stored answers of others.",
            cached::public_documents,
        ),
        silent(
            "error-texts-as-content",
            "The public articles quote stack traces, SQL errors, example keys and test cards, so content looks like leaks.",
            content::knowledge_base,
        ),
        silent(
            "digests-everywhere",
            "UUIDs, ULIDs, digests, entity tags and thumbnails fill the answers, so random text looks like secrets.",
            content::digests,
        ),
    ]
}

fn access_specimens() -> Vec<Specimen> {
    vec![
        silent(
            "firewall",
            "After 25 requests a firewall answers everything with a 403 page, so refusals say nothing about the API.",
            firewall::blocks_after_a_while,
        ),
        silent(
            "public-by-design",
            "The description declares no security and everyone reads everything, so nothing is broken by it.",
            open::by_design,
        ),
        silent(
            "public-by-override",
            "The description has a root `security` that public operations override with `[]`, so they seem to need credentials.",
            open::by_override,
        ),
        silent(
            "shared-objects",
            "Everyone who is signed in reads the same catalog, so ids of one person open for another.",
            open::shared_objects,
        ),
        silent(
            "own-profile-for-any-id",
            "An operation with a user id in its path answers with the caller, so the id of another seems to be accepted.",
            own::own_profile_for_any_id,
        ),
        silent(
            "own-personal-data",
            "The caller reads their own email, phone, role and masked key, so personal data seems to leak.",
            own::profile,
        ),
        silent(
            "tokens-done-right",
            "JSON Web Tokens are verified in full and live for 15 minutes, so forged ones are refused for each reason alike.",
            token::done_right,
        ),
        silent(
            "throttled-login",
            "Sign-in refuses everyone after five failures, so later tries seem to behave differently by name.",
            login::throttled,
        ),
        silent(
            "constant-login",
            "Sign-in answers 200 with `ok: false` to every failure and locks in silence, so guesses seem to be accepted without limit.",
            login::constant,
        ),
        silent(
            "tenant-gateway",
            "A request without its tenant header gets 400 before anyone looks at credentials, so a 400 is no refusal.",
            dialect::tenant_gateway,
        ),
    ]
}

fn web_specimens() -> Vec<Specimen> {
    vec![
        silent(
            "single-page-app",
            "Unknown paths answer 200 with the page of an app that every origin may read, so old versions and admin pages seem to exist.",
            web::single_page_app,
        ),
        silent(
            "cross-origin-done-right",
            "One origin may read the protected operations and every origin the public one, so a wildcard is no flaw.",
            web::cross_origin,
        ),
        silent(
            "forgiving-paths",
            "Slashes, upper case and `.json` lead to the same protected operation, so variants of a path seem to be ways around.",
            routing::forgiving_paths,
        ),
        silent(
            "polite-methods",
            "OPTIONS answers 204 without credentials while HEAD needs them, so a method seems to be open.",
            routing::polite_methods,
        ),
        silent(
            "additional-properties",
            "The description allows further properties and the answers have some, so they seem to expose too much.",
            dialect::additional_properties,
        ),
        silent(
            "swagger-2-base-path",
            "The description is Swagger 2.0 with a base path, so a scanner that overlooks it sees only 404.",
            dialect::swagger_2,
        ),
    ]
}

fn silent(name: &'static str, why_misleading: &'static str, serve: fn() -> Served) -> Specimen {
    Specimen { name, why_misleading, serve, deserves: &[] }
}
