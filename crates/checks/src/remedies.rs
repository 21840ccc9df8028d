//! The code of `remedies/`, which the binary carries along: what META names and `explain` shows.

use model::{Code, Remedy};

/// A folder of `remedies/` with its files, each by the framework that it is for.
macro_rules! remedy {
    ($name:literal, $($framework:literal: $file:literal),+) => {
        Remedy {
            name: $name,
            readme: include_str!(concat!("../../../remedies/", $name, "/README.md")),
            code: &[$(Code {
                framework: $framework,
                file: $file,
                text: include_str!(concat!("../../../remedies/", $name, "/", $file)),
            }),+],
        }
    };
}

/// Every remedy, by name.
pub const ALL: &[&Remedy] = &[
    &API_KEY_LOOKUP,
    &CORS_ALLOW_LIST,
    &DECLARED_FIELDS,
    &DYNAMODB_EXPRESSION,
    &GENERIC_ERRORS,
    &JWT_VERIFICATION,
    &KEY_OUT_OF_LOGS,
    &NO_STORE_ANSWERS,
    &RATE_LIMIT,
    &SECRET_FROM_ENVIRONMENT,
    &SECURITY_HEADERS,
    &VERIFY_SIGNATURE,
];

pub(crate) const API_KEY_LOOKUP: Remedy = remedy!(
    "api-key-lookup",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs",
    "axum": "axum.rs"
);

pub(crate) const CORS_ALLOW_LIST: Remedy = remedy!(
    "cors-allow-list",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs"
);

pub(crate) const DECLARED_FIELDS: Remedy = remedy!(
    "declared-fields",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Express": "express.mjs"
);

pub(crate) const DYNAMODB_EXPRESSION: Remedy = remedy!("dynamodb-expression", "boto3": "boto3.py");

pub(crate) const GENERIC_ERRORS: Remedy = remedy!(
    "generic-errors",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs",
    "axum": "axum.rs"
);

pub(crate) const JWT_VERIFICATION: Remedy = remedy!(
    "jwt-verification",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Express": "express.mjs"
);

pub(crate) const KEY_OUT_OF_LOGS: Remedy = remedy!("key-out-of-logs", "Flask": "flask.py", "FastAPI": "fastapi.py");

pub(crate) const NO_STORE_ANSWERS: Remedy = remedy!(
    "no-store-answers",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs",
    "axum": "axum.rs"
);

pub(crate) const RATE_LIMIT: Remedy = remedy!(
    "rate-limit",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs"
);

pub(crate) const SECRET_FROM_ENVIRONMENT: Remedy = remedy!(
    "secret-from-environment",
    "Python": "python.py",
    "Node.js": "node.mjs"
);

pub(crate) const SECURITY_HEADERS: Remedy = remedy!(
    "security-headers",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs"
);

pub(crate) const VERIFY_SIGNATURE: Remedy = remedy!(
    "verify-signature",
    "Flask": "flask.py",
    "FastAPI": "fastapi.py",
    "Django": "django.py",
    "Express": "express.mjs",
    "axum": "axum.rs"
);
