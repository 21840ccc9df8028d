//! What the parameters, headers and cookies of a request say that it does.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use model::Headers;
use serde_json::Value;

use super::words::{SECRETS, Verb, decoded, has_an_id, of_action, of_parameter, plain, split, words};

/// Names of parameters whose value says what to do.
const ACTIONS: [&str; 29] = [
    "a",
    "act",
    "action",
    "cmd",
    "command",
    "do",
    "event",
    "exec",
    "fn",
    "func",
    "function",
    "handler",
    "job",
    "method",
    "mode",
    "op",
    "operation",
    "operationid",
    "operationname",
    "opt",
    "process",
    "r",
    "route",
    "rpc",
    "step",
    "task",
    "todo",
    "verb",
    "xaction",
];

/// Names of parameters whose value is a statement to run.
const STATEMENTS: [&str; 7] = ["cql", "cypher", "hql", "query", "sql", "statement", "stmt"];

/// What a statement that defines something speaks of.
///
/// **Source**: ISO/IEC 9075-2 (SQL), CQL.
const DEFINED: [&str; 15] = [
    "column",
    "database",
    "function",
    "index",
    "keyspace",
    "materialized",
    "or",
    "procedure",
    "role",
    "schema",
    "table",
    "trigger",
    "type",
    "user",
    "view",
];

/// Parameters beside which a new value concerns somebody.
const WHOM: [&str; 14] = [
    "user",
    "userid",
    "username",
    "account",
    "accountid",
    "customer",
    "customerid",
    "member",
    "memberid",
    "recipient",
    "beneficiary",
    "payee",
    "toaccount",
    "wallet",
];

/// What stands beside the word for a secret in the name of a parameter that sets one: `passwort_neu`.
const OF_A_NEW_SECRET: [&str; 22] = [
    "again",
    "alt",
    "altes",
    "confirm",
    "confirmation",
    "confirmed",
    "current",
    "neu",
    "neues",
    "new",
    "nieuw",
    "nouveau",
    "nova",
    "novo",
    "nueva",
    "nuevo",
    "nuova",
    "old",
    "repeat",
    "reset",
    "user",
    "wiederholen",
];

/// Members of a JSON value that are looked at.
///
/// **Source**: chosen; a call is a few members deep.
const DEEPEST: usize = 3;

static VALUES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/moves.txt")));

/// What a query says that it does: by a parameter named after a verb, by the value of one that names an
/// action or holds a statement, or by a new value that it carries. `path` is that of the request.
pub(super) fn of_query(query: &str, path: &str) -> Option<Verb> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (decoded(&name), decoded(&value))).collect();
    let concerns = pairs.iter().any(|(name, value)| {
        let name = plain(name);
        WHOM.contains(&name.as_str()) || (name == "to" && names_somebody(value))
    });
    let of_pair = |(name, value): &(String, String)| {
        let plain_name = plain(name);
        let is_off = ["", "0", "false", "no", "off", "none"].contains(&value.trim().to_lowercase().as_str());
        let by_name = || if is_off && !value.is_empty() { None } else { of_parameter(name) };
        let carries = is_new_secret(name) || (VALUES.contains(plain_name.as_str()) && (concerns || has_an_id(path)));
        [by_name(), by_value(name, value), carries.then_some(Verb::Changes)].into_iter().flatten().max()
    };
    pairs.iter().filter_map(of_pair).max()
}

/// What headers and cookies say that a request does: `X-Action: delete`, `action=delete`.
pub(super) fn of_headers(headers: &Headers) -> Option<Verb> {
    let cookies = headers.all("cookie").flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.split_once('='));
    let own = headers
        .iter()
        .map(|(name, value)| (name.strip_prefix("X-").or(name.strip_prefix("x-")).unwrap_or(name), value));
    own.chain(cookies).filter_map(|(name, value)| of_named_action(name.trim(), value.trim())).max()
}

/// What a value says: the name of an action, a statement, a document of GraphQL, a call of JSON-RPC.
fn by_value(name: &str, value: &str) -> Option<Verb> {
    let inner = name.trim_end_matches(']').rsplit(['[', '.']).next().unwrap_or(name);
    let by_action = of_named_action(inner, value);
    let is_statement = STATEMENTS.contains(&plain(inner).as_str());
    let by_statement = (is_statement && changes(value)).then_some(Verb::Changes);
    let by_document = mutates(value).then_some(Verb::Changes);
    let by_call = || serde_json::from_str::<Value>(value).ok().and_then(|value| of_json(&value, DEEPEST));
    let by_call = if value.trim_start().starts_with(['{', '[']) { by_call() } else { None };
    [by_action, by_statement, by_document, by_call].into_iter().flatten().max()
}

fn of_named_action(name: &str, value: &str) -> Option<Verb> {
    if ACTIONS.contains(&plain(name).as_str()) { of_action(value) } else { None }
}

fn of_json(value: &Value, deepest: usize) -> Option<Verb> {
    match value {
        Value::Object(members) if deepest > 0 => members
            .iter()
            .filter_map(|(name, value)| match value {
                Value::String(text) => by_value(name, text),
                other => of_json(other, deepest - 1),
            })
            .max(),
        Value::Array(items) if deepest > 0 => items.iter().filter_map(|item| of_json(item, deepest - 1)).max(),
        _ => None,
    }
}

/// True for a document of GraphQL that holds a mutation or a subscription.
///
/// **Source**: GraphQL, October 2021, section 2.3.
fn mutates(document: &str) -> bool {
    let lines = document.lines().map(|line| line.split('#').next().unwrap_or_default());
    let document = lines.collect::<Vec<_>>().join(" ");
    ["mutation", "subscription"].iter().any(|kind| {
        document.match_indices(kind).any(|(at, _)| {
            let before = document[..at].trim_end();
            let behind = document[at + kind.len()..].trim_start();
            let behind = behind.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start();
            let has_variables = behind.strip_prefix('(').is_some_and(|inner| inner.trim_start().starts_with('$'));
            (before.is_empty() || before.ends_with('}')) && (behind.starts_with(['{', '@']) || has_variables)
        })
    })
}

/// True for a statement that changes data, rights or definitions.
///
/// **Source**: ISO/IEC 9075-2 (SQL); openCypher.
fn changes(text: &str) -> bool {
    text.split(';').any(|statement| {
        let statement = statement.to_lowercase().replace('+', " ");
        let words: Vec<&str> = statement.split_whitespace().collect();
        let has = |word: &str| words.contains(&word);
        match words.as_slice() {
            ["delete", "from", ..] | ["insert" | "replace" | "merge", "into", ..] => true,
            ["drop" | "alter" | "truncate" | "create", what, ..] => DEFINED.contains(what) || what.starts_with('('),
            ["update", ..] => has("set"),
            ["grant" | "revoke", ..] => has("on") || has("to") || has("from"),
            ["match" | "merge", pattern, ..] if pattern.starts_with('(') => {
                ["delete", "set", "create", "merge", "remove"].into_iter().any(has)
            }
            _ => false,
        }
    })
}

/// True for a parameter that carries a new secret.
fn is_new_secret(name: &str) -> bool {
    if SECRETS.contains(plain(name).as_str()) {
        return true;
    }
    let words = split(name);
    let is_secret = |word: &&String| SECRETS.contains(word.as_str());
    words.iter().any(|word| is_secret(&word))
        && words.iter().filter(|word| !is_secret(word)).all(|word| OF_A_NEW_SECRET.contains(&word.as_str()))
}

/// True for a name, an address or an account, and none for a currency, a date or a number.
fn names_somebody(value: &str) -> bool {
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let is_code = letters == value.chars().count() && letters <= 3 && value.chars().all(char::is_uppercase);
    letters > 1 && !is_code && !value.contains(':')
}

#[cfg(test)]
mod tests {
    use model::Request;

    use super::super::{Effect, effect};

    #[test]
    fn values_say_what_is_done_whatever_carries_them() {
        for target in [
            "/x?handler=Delete",
            "/index.php?route=account/delete",
            "/x?mode=purge",
            "/x?r=user/remove",
            "/x?f[action]=delete",
            "/x?f.action=delete",
            "/x?rpc={%22method%22:%22user.delete%22}",
            "/x?request=[{%22jsonrpc%22:%222.0%22,%22method%22:%22deleteUser%22}]",
            "/graphql?operationName=DeleteUser",
        ] {
            assert_eq!(effect(&Request::get(target)), Effect::Destroys, "{target}");
        }
        for target in [
            "/graphql?query=mutation{deleteUser(id:1){id}}",
            "/graphql?query=%20mutation+Add($a:Int)%7Badd(a:$a)%7D",
            "/graphql?query=query+A{a}+mutation+B{b}",
            "/graphql?query=%23+note%0Amutation+@live{b}",
            "/graphql?doc=subscription{b}",
            "/x?sql=DELETE+FROM+users",
            "/x?query=select+1;drop+table+a",
            "/x?sql=update%0Ausers+set+a=1",
            "/x?cypher=MATCH+(n)+DETACH+DELETE+n",
            "/x?passwort_neu=x",
            "/x?neues-passwort=x",
            "/x?user_password_confirm=x",
            "/pay?amount=100&to=bob",
            "/pay?amount=100&to=bob@example.com",
        ] {
            assert_eq!(effect(&Request::get(target)), Effect::Changes, "{target}");
        }
        for target in [
            "/graphql?query={users{id}}",
            "/graphql?query=query+Mutations{mutation{id}}",
            "/x?query=mutation",
            "/x?q=mutation+rate+(percent)",
            "/x?sql=select+updated+from+a",
            "/x?q=drop+table",
            "/x?query=create+account",
            "/x?query=update+my+address",
            "/x?mode=full",
            "/x?route=66",
            "/x?to=EUR&amount=5",
            "/x?amount=5&to=2026-01-01",
            "/x?filter={%22status%22:%22deleted%22}",
            "/x?password_policy=strict",
            "/x?status=deleted",
        ] {
            assert_eq!(effect(&Request::get(target)), Effect::Reads, "{target}");
        }
        assert_eq!(effect(&Request::get("/x").with_header("X-Action", "delete")), Effect::Destroys);
        assert_eq!(effect(&Request::get("/x").with_header("Cookie", "a=1; action=deleteAll")), Effect::Destroys);
        assert_eq!(effect(&Request::get("/x").with_header("X-Mode", "full")), Effect::Reads);
    }
}
