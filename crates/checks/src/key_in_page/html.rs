//! What a page names: scripts, resources of others, its referrer policy.

use std::sync::LazyLock;

use model::Origin;
use regex::Regex;

/// **Source**: HTML Living Standard, 4.12.1 (`script`), 4.6.7.12 (`modulepreload`), 4.2.5 (`meta`).
static SCRIPT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)<script\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)"#).expect("a valid pattern"));
static PRELOAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<link\b[^>]*?\bmodulepreload\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)"#).expect("a valid pattern")
});
static RESOURCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<(?:script|img|iframe|link|video|audio|source)\b[^>]*?\b(?:src|href)\s*=\s*["']?([^"'\s>]+)"#)
        .expect("a valid pattern")
});
static REFERRER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<meta\b[^>]*?\bname\s*=\s*["']?referrer["']?[^>]*?\bcontent\s*=\s*["']?([a-z-]+)"#)
        .expect("a valid pattern")
});

/// **Source**: ECMA-426, section 11.1.2.1.
static SOURCE_MAP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^//[#@] ?sourceMappingURL=(\S+)\s*$").expect("a valid pattern"));

/// Addresses of the scripts of a page, as they stand in it.
pub(super) fn scripts(page: &str) -> Vec<&str> {
    let all = SCRIPT.captures_iter(page).chain(PRELOAD.captures_iter(page));
    all.filter_map(|found| found.get(1)).map(|address| address.as_str()).collect()
}

/// The address of a script's source map; none where it stands in the script itself.
pub(super) fn source_map(script: &str) -> Option<&str> {
    let address = SOURCE_MAP.captures_iter(script).last()?.get(1)?.as_str();
    (!address.starts_with("data:")).then_some(address)
}

/// The host of the first resource that a page takes from elsewhere.
pub(super) fn foreign_resource(page: &str, origin: &Origin) -> Option<String> {
    let addresses = RESOURCE.captures_iter(page).filter_map(|found| found.get(1));
    addresses.filter_map(|address| foreign_host(address.as_str(), origin)).next()
}

/// The referrer policy that a page states for itself.
pub(super) fn referrer_policy(page: &str) -> Option<String> {
    REFERRER.captures(page)?.get(1).map(|policy| policy.as_str().to_ascii_lowercase())
}

fn foreign_host(address: &str, origin: &Origin) -> Option<String> {
    let rest = address.strip_prefix("https://").or(address.strip_prefix("http://")).or(address.strip_prefix("//"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty() && !host.eq_ignore_ascii_case(&origin.host)).then(|| host.to_ascii_lowercase())
}

/// The path on the scanned origin that an address means on the page at `page`; none where it is
/// elsewhere.
///
/// **Source**: RFC 3986, section 5.2.
pub(super) fn path(address: &str, page: &str, origin: &Origin) -> Option<String> {
    let own = origin.to_string();
    let address = address.split('#').next().unwrap_or_default();
    let below = match address.strip_prefix(own.as_str()) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ if address.contains("://") || address.starts_with("//") || address.contains(':') => return None,
        _ => address,
    };
    if below.is_empty() {
        return None;
    }
    if below.starts_with('/') {
        return Some(without_dots(below));
    }
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(without_dots(&format!("{folder}/{below}")))
}

fn without_dots(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { secure: true, host: "api.shop.test".into(), port: 443 }
    }

    #[test]
    fn scripts_of_a_page_are_found_and_only_own_ones_are_asked_for() {
        let page = r#"<script type="module" src=/assets/app.js></script><script>1</script>
            <link rel="modulepreload" href='lib.js?v=2'><script src="https://cdn.test/x.js"></script>"#;
        assert_eq!(scripts(page), ["/assets/app.js", "https://cdn.test/x.js", "lib.js?v=2"]);
        let own = |address| path(address, "/shop/index.html", &origin());
        assert_eq!(own("/assets/app.js").as_deref(), Some("/assets/app.js"));
        assert_eq!(own("lib.js?v=2").as_deref(), Some("/shop/lib.js?v=2"));
        assert_eq!(own("../lib.js").as_deref(), Some("/lib.js"));
        assert_eq!(own("https://api.shop.test/a.js").as_deref(), Some("/a.js"));
        for elsewhere in
            ["https://cdn.test/x.js", "//cdn.test/x.js", "https://api.shop.test.evil/a.js", "data:,1", "#a"]
        {
            assert_eq!(own(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(foreign_resource(page, &origin()).as_deref(), Some("cdn.test"));
        assert_eq!(foreign_resource("<img src=\"https://api.shop.test/a.png\">", &origin()), None);
    }

    #[test]
    fn a_source_map_is_the_last_that_is_named_and_no_data() {
        assert_eq!(source_map("a()\n//# sourceMappingURL=app.js.map\n"), Some("app.js.map"));
        assert_eq!(source_map("//# sourceMappingURL=data:application/json;base64,e30="), None);
        assert_eq!(source_map("f('//# sourceMappingURL=x.map')"), None);
    }

    #[test]
    fn a_policy_of_the_page_is_read() {
        let page = r#"<meta name="referrer" content="unsafe-url">"#;
        assert_eq!(referrer_policy(page).as_deref(), Some("unsafe-url"));
    }
}
