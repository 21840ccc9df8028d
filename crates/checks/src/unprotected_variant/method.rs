//! Other methods by which a server may run what it runs for GET.

use engine::effect::OVERRIDE_HEADERS;
use model::{Mode, Request};

/// A verb that no server knows. An else-branch may take it for one that creates, so it goes out in active
/// mode only.
const INVENTED: &str = "X-READ";

/// A way to ask for the same without saying GET. None of them names a method that writes.
///
/// **Source**: CWE-650; OWASP Web Security Testing Guide, WSTG-CONF-06 (HTTP methods: HEAD, arbitrary
/// methods, method overriding).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Head,
    OptionsAsGet,
    Invented,
    InventedAsGet,
    GetAsInvented,
}

impl Form {
    const ALL: [Self; 5] = [Self::Head, Self::OptionsAsGet, Self::Invented, Self::InventedAsGet, Self::GetAsInvented];

    /// The forms that a mode lets out.
    pub(super) fn of_mode(mode: Mode) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |form| form.is_harmless() || mode >= Mode::Active)
    }

    /// True where every method that it names is known to read.
    fn is_harmless(self) -> bool {
        match self {
            Self::Head | Self::OptionsAsGet => true,
            Self::Invented | Self::InventedAsGet | Self::GetAsInvented => false,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::OptionsAsGet => "OPTIONS that override headers turn into GET",
            Self::Invented => INVENTED_WORDS,
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
            Self::OptionsAsGet => overridden("OPTIONS", "GET"),
            Self::Invented => request.clone().with_method(INVENTED),
            Self::InventedAsGet => overridden(INVENTED, "GET"),
            Self::GetAsInvented => overridden("GET", INVENTED),
        }
    }
}

/// How a plain invented method is named in observations.
pub(super) const INVENTED_WORDS: &str = "an invented method";

#[cfg(test)]
mod tests {
    use engine::effect::{effect, permit};

    use super::*;

    #[test]
    fn each_mode_lets_its_forms_out() {
        for mode in [Mode::Safe, Mode::Active] {
            for form in Form::ALL {
                let effect = effect(&form.of(&Request::get("/orders/7?a=1"), "mb-1"));
                let is_of_mode = Form::of_mode(mode).any(|other| other == form);
                assert_eq!(permit(mode, effect).is_ok(), is_of_mode, "{mode}: {}", form.words());
            }
        }
    }
}
