//! Other methods by which a server may run what it runs for GET.

use engine::effect::OVERRIDE_HEADERS;
use model::Request;

/// A verb that no server knows. Its prefix marks it as invented: the session lets it out as reading.
const INVENTED: &str = "X-READ";

/// A way to ask for the same without saying GET. None of them names a method that writes.
///
/// **Source**: CWE-650; OWASP Web Security Testing Guide, WSTG-CONF-06 (HTTP methods: HEAD, arbitrary
/// methods, method overriding).
#[derive(Clone, Copy)]
pub(super) enum Form {
    Head,
    Invented,
    InventedAsGet,
    GetAsInvented,
}

impl Form {
    pub(super) const ALL: [Self; 4] = [Self::Head, Self::Invented, Self::InventedAsGet, Self::GetAsInvented];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Invented => "an invented method",
            Self::InventedAsGet => "an invented method that override headers turn into GET",
            Self::GetAsInvented => "GET that override headers turn into an invented method",
        }
    }

    /// The request in this form. What an override could leave in a cache carries a query of its own.
    pub(super) fn of(self, request: &Request, word: &str) -> Request {
        let overridden = |method: &str, by: &str| {
            let request = request.clone().with_method(method).with_query("mb", word);
            OVERRIDE_HEADERS.iter().fold(request, |request, header| request.with_header(header, by))
        };
        match self {
            Self::Head => request.clone().with_method("HEAD"),
            Self::Invented => request.clone().with_method(INVENTED),
            Self::InventedAsGet => overridden(INVENTED, "GET"),
            Self::GetAsInvented => overridden("GET", INVENTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::effect::{Effect, effect};

    use super::*;

    #[test]
    fn every_form_reads() {
        for form in Form::ALL {
            assert_eq!(effect(&form.of(&Request::get("/orders/7?a=1"), "mb-1")), Effect::Reads, "{}", form.words());
        }
    }
}
