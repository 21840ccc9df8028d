//! What a request does, decided from what it really is, and what each mode lets out.
//!
//! The word lists are data, in `words/`.

use inventory::{Operation, ParameterLocation};
use model::{Mode, Request};

mod overrides;
mod query;
mod words;

pub use overrides::OVERRIDE_HEADERS;
pub(crate) use overrides::{may_name_a_method, overridden};
use words::Verb;
pub use words::{is_metered, reads_once};

/// What a request does to its target, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Reads.
    Reads,
    /// Gets credentials, or tries to with a user that cannot exist.
    SignsIn,
    /// Creates, changes or sends although its method says that it reads.
    Changes,
    /// Creates or changes; a method that nobody knows may do so too.
    Writes,
    /// Deletes.
    Deletes,
    /// Destroys although its method says that it reads.
    Destroys,
}

/// Why a request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// What it would do.
    pub effect: Effect,
    /// Why the mode keeps it back, and how to change that.
    pub reason: &'static str,
}

/// What a request does, by its method, the methods that overrides name, and the words of its path and query.
pub fn effect(request: &Request) -> Effect {
    effect_of(&request.method.to_ascii_uppercase(), request).max(overridden(request))
}

fn effect_of(method: &str, request: &Request) -> Effect {
    match method {
        "GET" | "HEAD" | "QUERY" => {
            let path = request.path();
            // A body of QUERY is a question; what it says is not looked at.
            let query = request.query().and_then(|query| query::of_query(query, path));
            said(words::of_path(path).max(query).max(query::of_headers(&request.headers)))
        }
        "OPTIONS" | "TRACE" => Effect::Reads,
        "DELETE" => Effect::Deletes,
        _ => Effect::Writes,
    }
}

/// What the description says that a reading operation does: in its operation id, its summary, and, where
/// there is none, its description.
pub fn described(operation: &Operation) -> Effect {
    if !matches!(operation.method.as_str(), "GET" | "HEAD" | "QUERY") {
        return Effect::Reads;
    }
    let by_id = operation.operation_id.as_deref().and_then(words::of_id);
    let text = operation.summary.as_deref().filter(|text| !text.trim().is_empty()).or(operation.description.as_deref());
    said(by_id.max(text.and_then(words::of_sentence)))
}

/// True if the description says that a reading operation reads although a word of its path says that it
/// changes state: `GET /pay-runs`, "Retrieves pay runs". What a path says to destroy is believed.
pub(crate) fn reads_by_description(operation: &Operation) -> bool {
    let text = operation.summary.as_deref().filter(|text| !text.trim().is_empty()).or(operation.description.as_deref());
    let says = |text: &str| words::of_sentence(text).is_none() && words::sentence_reads(text);
    let by_id =
        || operation.operation_id.as_deref().is_some_and(|id| words::of_id(id).is_none() && words::id_reads(id));
    match text {
        Some(text) if words::of_sentence(text).is_some() => false,
        Some(text) => says(text) || by_id(),
        None => by_id(),
    }
}

/// What of an operation says that its GET does more than read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What it does: [`Effect::Changes`] or [`Effect::Destroys`].
    pub effect: Effect,
    /// Where that stands, in words: `its path`.
    pub place: &'static str,
}

/// What of an operation says that it does more than read although its method does: its path, a parameter
/// that it requires, its operation id, its summary or description. None for other methods.
pub fn stated(operation: &Operation) -> Option<Stated> {
    if !matches!(operation.method.as_str(), "GET" | "HEAD" | "QUERY") {
        return None;
    }
    let required = operation.parameters.iter().filter(|p| p.required && p.location == ParameterLocation::Query);
    let pairs = required.map(|p| (&p.name, p.examples.first().and_then(|example| example.as_str()).unwrap_or("x")));
    let by_query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let of = |verb: Option<Verb>, place| verb.map(|verb| Stated { effect: said(Some(verb)), place });
    let by_path =
        words::of_path(&operation.path).filter(|verb| *verb == Verb::Destroys || !reads_by_description(operation));
    of(by_path, "its path")
        .or_else(|| of(query::of_query(&by_query, &operation.path), "a required parameter"))
        .or_else(|| of(operation.operation_id.as_deref().and_then(words::of_id), "its operation ID"))
        .or_else(|| match described(operation) {
            Effect::Reads => None,
            effect => Some(Stated { effect, place: "its summary or description" }),
        })
}

fn said(verb: Option<Verb>) -> Effect {
    match verb {
        None => Effect::Reads,
        Some(Verb::Changes) => Effect::Changes,
        Some(Verb::Destroys) => Effect::Destroys,
    }
}

/// Whether a mode lets a request of this effect out.
///
/// # Errors
/// It does not, and why.
pub fn permit(mode: Mode, effect: Effect) -> Result<(), NotSent> {
    let refuse = |reason| Err(NotSent { effect, reason });
    match (mode, effect) {
        (Mode::Description, _) => refuse("description mode sends nothing"),
        (Mode::Passive | Mode::Safe | Mode::Active | Mode::Destructive, Effect::Reads | Effect::SignsIn)
        | (Mode::Active | Mode::Destructive, Effect::Changes | Effect::Writes)
        | (Mode::Destructive, Effect::Deletes | Effect::Destroys) => Ok(()),
        (Mode::Passive | Mode::Safe, Effect::Changes) => {
            refuse("by its name it changes state: --mode active sends it, or an entry under `repeatable`")
        }
        (Mode::Passive | Mode::Safe, Effect::Writes) => refuse(WRITES),
        (Mode::Passive | Mode::Safe | Mode::Active, Effect::Deletes) => refuse(WRITES),
        (Mode::Passive | Mode::Safe | Mode::Active, Effect::Destroys) => {
            refuse("by its name it destroys something: an entry under `repeatable` sends it")
        }
    }
}

/// How the reasons begin why a GET is kept back.
pub const BY_NAME: &str = "by its name";

/// Why the survey sends no method that writes, whatever the mode.
pub(crate) const WRITES: &str = "its method may write: an entry under `repeatable` sends it";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str) -> Effect {
        effect(&Request::get(target))
    }

    #[test]
    fn a_get_is_judged_by_what_its_path_and_query_say() {
        let destroys = [
            "/createdb",
            "/deleteall",
            "/users/delete-all",
            "/%64elete",
            "/%2564elete",
            "/dropdb",
            "/userDelete",
            "/deleteAllUsers",
            "/api/v1/users/7/resetPassword?x=1",
            "/user.php?action=deleteUser",
            "/x?cmd=drop",
            "/x?do=logout",
            "/x;op=1/purge_cache",
            "/x?delete=1",
            "/admin/queue/drain",
            "/cache/evict",
            "/log-off",
            "/getLogout",
            "/download-and-delete",
            "/nutzer/l%C3%B6schen",
            "/eliminarUsuario",
            "/supprimer/compte",
            "/%E5%88%A0%E9%99%A4%E7%94%A8%E6%88%B7",
            "/removeuser2",
            "/rm",
            "/x?task=purge&y",
            "/deletebyid/3",
            "/optout",
            "/opt-out",
            "/self-destruct",
            "/tear-down",
            "/unregister",
            "/w/hapus",
            "/api/\u{ff44}\u{ff45}\u{ff4c}\u{ff45}\u{ff54}\u{ff45}",
        ];
        for target in destroys {
            assert_eq!(of(target), Effect::Destroys, "{target}");
        }
        let changes = [
            "/user/change-password?new=x",
            "/transfer-money",
            "/transfer",
            "/users/3/lock",
            "/setadmin",
            "/set-role",
            "/emailUpdate",
            "/me?new_password=x",
            "/me?passwordConfirmation=x",
            "/users/{id}?role=admin",
            "/pay?recipient=bob&amount=5",
            "/orders/7/cancel",
            "/keys/rotate",
            "/generate-api-key",
            "/x?action=set",
            "/invite",
            "/archive-order",
            "/orders/7/archive",
            "/users/{id}/block",
            "/vote",
            "/x?action=lock",
            "/format-disk",
            "/archiveorders",
            "/lock-device",
            "/pay/{to}/{amount}",
            "/verify-email",
            "/enviar",
            "/konto/sperren",
            "/usuarios/crear",
            "/cast-vote",
            "/empty-trash",
            "/emptyTrash",
            "/makeAdmin",
            "/forgot-password",
            "/jobs/run-now",
            "/cron.php",
            "/mark-as-read",
            "/markAllRead",
            "/switch-on",
            "/pull.php?do=sync",
            "/orders/7/ship",
            "/images/7/hide",
        ];
        for target in changes {
            assert_eq!(of(target), Effect::Changes, "{target}");
        }
        let reads = [
            "/",
            "/admin/export",
            "/reports/download",
            "/preview",
            "/search?q=delete",
            "/exports-of-goods/sendings",
            "/address",
            "/settings",
            "/created-items",
            "/updates",
            "/closed-orders",
            "/additions",
            "/transfers",
            "/transfer/{id}",
            "/blocks/7",
            "/block/{height}",
            "/stop/{stop_id}",
            "/set/{id}",
            "/sets",
            "/orders/7",
            "/last-update",
            "/edit-history",
            "/getUpdates",
            "/list-deleted",
            "/users?role=admin",
            "/convert?amount=5&to=EUR",
            "/order-status",
            "/report",
            "/index",
            "/order",
            "/orders/7/log",
            "/archive",
            "/rate",
            "/users/7/order",
            "/transfer-status",
            "/archive-id",
            "/post-comments",
            "/rate-limit",
            "/generate-report",
            "/validate",
            "/calculate-price",
            "/changelog",
            "/x?delete=false",
            "/people?name=reset",
            "/banners",
            "/movies",
            "/editors",
            "/dropdown",
            "/addresses",
            "/payroll",
            "/assets",
            "/checkouts/3",
            "/share-price",
            "/posts",
            "/removals",
            "/resettlement",
            "/stations",
            "/password-policy",
            "/x?set_id=3",
            "/commit/{sha}",
            "/launch/{id}",
            "/x?sort=create_date",
            "/deals",
            "/indexes",
            "/usersettings",
            "/purchase-orders",
            "/merge-requests",
            "/release-notes",
            "/retry-policy",
            "/restore-points",
            "/shutdown-status",
            "/kill-rate",
            "/install-base",
            "/register-office",
            "/apply-info",
            "/post",
            "/vehicles/make",
            "/forks",
            "/broadcast",
        ];
        for target in reads {
            assert_eq!(of(target), Effect::Reads, "{target}");
        }
    }

    #[test]
    fn a_get_is_judged_by_what_its_description_says() {
        let said = |id: Option<&str>, summary: Option<&str>, description: Option<&str>| {
            let mut inventory = inventory::Inventory::single("GET", "/x");
            let operation = std::sync::Arc::make_mut(&mut inventory.operations[0]);
            operation.operation_id = id.map(Into::into);
            operation.summary = summary.map(Into::into);
            operation.description = description.map(Into::into);
            described(operation)
        };
        for text in [
            "Deletes the database",
            "Delete all users.",
            "Drain the queue",
            "Warning: deletes all data",
            "Logs",
            "This endpoint deletes a user",
            "Used to reset the system",
            "[Admin] Purge cache",
            "L\u{f6}scht alle Benutzer",
        ] {
            assert_eq!(said(None, Some(text), None) == Effect::Destroys, text != "Logs", "{text}");
        }
        for text in ["Creates a new order and charges the card.", "Sends an e-mail", "Endpoint for creating users"] {
            assert_eq!(said(None, None, Some(text)), Effect::Changes, "{text}");
        }
        for text in [
            "Updates for a user",
            "List all deleted users",
            "Returns what was created",
            "Changes between two versions",
            "Edit history",
            "Gets or creates a cart",
            "The update policy",
            "Order status",
            "Reports",
            "Orders of a user",
        ] {
            assert_eq!(said(None, Some(text), None), Effect::Reads, "{text}");
        }
        assert_eq!(said(Some("deleteAllUsers"), None, None), Effect::Destroys);
        assert_eq!(said(Some("users_destroy"), None, None), Effect::Destroys);
        assert_eq!(said(Some("create_user_users__get"), None, None), Effect::Reads);
        assert_eq!(said(Some("getUpdates"), Some("Get updates"), Some("Deletes nothing")), Effect::Reads);
        assert_eq!(said(Some("blockHeight"), None, None), Effect::Reads);
        assert_eq!(said(Some("transferMoney"), None, None), Effect::Changes);
    }

    #[test]
    fn a_path_that_may_be_a_noun_is_read_as_its_description_says() {
        let stated = |path: &str, id: Option<&str>, summary: Option<&str>| {
            let mut inventory = inventory::Inventory::single("GET", path);
            let operation = std::sync::Arc::make_mut(&mut inventory.operations[0]);
            operation.operation_id = id.map(Into::into);
            operation.summary = summary.map(Into::into);
            stated(operation).map(|stated| stated.effect)
        };
        for (path, id, summary) in [
            ("/PayRuns", None, Some("Retrieves pay runs")),
            ("/pulls/{number}/merge", Some("pulls/check-if-merged"), Some("Check if a pull request has been merged")),
            ("/folders/{id}/trash", None, Some("Get trashed folder")),
            ("/provision/status", Some("FetchProvisioningStatus"), None),
        ] {
            assert_eq!(stated(path, id, summary), None, "{path}");
        }
        for (path, id, summary) in [
            ("/PayRuns", None, None),
            ("/verify/{token}", Some("getVerify"), Some("Verify the sender")),
            ("/cancel", Some("cancelOrder"), None),
        ] {
            assert_eq!(stated(path, id, summary), Some(Effect::Changes), "{path}");
        }
        assert_eq!(stated("/users/delete", Some("getUsers"), Some("Get users")), Some(Effect::Destroys));
    }

    #[test]
    fn a_method_counts_as_what_it_may_do_and_an_override_as_the_method_that_it_names() {
        for method in ["GET", "HEAD", "QUERY", "OPTIONS", "TRACE"] {
            assert_eq!(effect(&Request::new(method, "/a")), Effect::Reads, "{method}");
        }
        for method in
            ["POST", "PUT", "PATCH", "X-READ", "X-PURGE", "COPY", "LOCK", "MKCOL", "PURGE", "CONNECT", "get x", ""]
        {
            assert_eq!(effect(&Request::new(method, "/a")), Effect::Writes, "{method}");
        }
        assert_eq!(effect(&Request::new("delete", "/a")), Effect::Deletes);
        assert_eq!(effect(&Request::get("/a").with_header("x-http-method-override", "DELETE")), Effect::Deletes);
        let two = Request::get("/a").with_header("X-HTTP-Method", "GET").with_header("X-HTTP-Method", " delete ");
        assert_eq!(effect(&two), Effect::Deletes);
        for target in
            ["/a?b=1&_method=put", "/a?%5Fmethod=PUT", "/a?$httpMethod=PATCH", "/a?X-HTTP-Method-Override=X-B"]
        {
            assert_eq!(of(target), Effect::Writes, "{target}");
        }
        assert_eq!(effect(&Request::new("POST", "/a").with_header("X-HTTP-Method", "GET")), Effect::Writes);
    }

    #[test]
    fn each_mode_lets_out_what_docs_safety_says() {
        use Effect::*;
        let allowed = |mode| -> Vec<Effect> {
            [Reads, SignsIn, Changes, Writes, Deletes, Destroys]
                .into_iter()
                .filter(|e| permit(mode, *e).is_ok())
                .collect()
        };
        assert_eq!(allowed(Mode::Description), []);
        assert_eq!(allowed(Mode::Passive), [Reads, SignsIn]);
        assert_eq!(allowed(Mode::Safe), [Reads, SignsIn]);
        assert_eq!(allowed(Mode::Active), [Reads, SignsIn, Changes, Writes]);
        assert_eq!(allowed(Mode::Destructive), [Reads, SignsIn, Changes, Writes, Deletes, Destroys]);
    }
}
