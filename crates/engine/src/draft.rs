//! A request as data, before credentials and signature are in place.

use std::sync::Arc;

use model::{Forgery, OperationKey, Request, Secret, Stamp};

use crate::edit::Edit;

/// What becomes of the identity's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Authenticate {
    /// They are sent as they are.
    #[default]
    Own,
    /// None is sent; the identity's other headers (tenant, version) stay. Counts as anonymous.
    Without,
    /// The one at this position is left out, the others are sent.
    Dropping(usize),
    /// The one at this position is replaced by another value. With a label, the value is masked in
    /// recordings as `{{label}}`: for values that work, or that derive from ones that do.
    Replacing {
        /// Position in the identity's credentials.
        position: usize,
        /// What is sent instead.
        value: Secret,
        /// Name for the mask.
        label: Option<String>,
    },
}

/// What a sending is for, where the request alone does not tell how harmless it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Intent {
    /// The request speaks for itself.
    #[default]
    Plain,
    /// A try to sign in as a random user that cannot exist; counted and limited by the session.
    RandomSignIn,
}

/// A request as data: who sends it, and what is changed before and after signing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Draft {
    /// Name of the identity; absent for a request that belongs to none.
    pub identity: Option<Arc<str>>,
    /// The request without credentials.
    pub request: Request,
    /// What becomes of the identity's credentials.
    pub authenticate: Authenticate,
    /// Changes after signing.
    pub after_signing: Vec<Edit>,
    /// Added to the clock when signing.
    pub clock_offset_ms: i64,
    /// Signed with something else than the identity signs with.
    pub forgery: Option<Forgery>,
    /// Signed with this in place of the time of sending and a fresh nonce: sent twice, it is the same
    /// request byte by byte. Never sent again by itself.
    pub frozen: Option<Stamp>,
    /// The operation it belongs to.
    pub operation: Option<OperationKey>,
    /// See [`Intent`].
    pub intent: Intent,
    /// True where an answer that says "too many" is what the request asks for, or where several are to
    /// arrive at once: the rate limiter then neither waits nor slows down.
    pub burst: bool,
}

impl Draft {
    /// A request without any identity.
    pub fn anonymous(request: Request) -> Self {
        Self {
            identity: None,
            request,
            authenticate: Authenticate::Own,
            after_signing: Vec::new(),
            clock_offset_ms: 0,
            forgery: None,
            frozen: None,
            operation: None,
            intent: Intent::Plain,
            burst: false,
        }
    }

    /// A request of an identity, with its credentials and signature.
    pub fn of(identity: &Arc<str>, request: Request) -> Self {
        Self { identity: Some(identity.clone()), ..Self::anonymous(request) }
    }

    /// The same, with something else done to the credentials.
    #[must_use]
    pub fn authenticate(mut self, authenticate: Authenticate) -> Self {
        self.authenticate = authenticate;
        self
    }

    /// The same, with another credential in place of the first.
    #[must_use]
    pub fn replacing(self, position: usize, value: &str, label: Option<&str>) -> Self {
        let label = label.map(Into::into);
        self.authenticate(Authenticate::Replacing { position, value: Secret::new(value), label })
    }

    /// The same, without credentials; the identity's other headers stay.
    #[must_use]
    pub fn without_credentials(self) -> Self {
        self.authenticate(Authenticate::Without)
    }

    /// The same, as part of an operation.
    #[must_use]
    pub fn for_operation(mut self, operation: &OperationKey) -> Self {
        self.operation = Some(operation.clone());
        self
    }

    /// The same, with a change after signing.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.after_signing.push(edit);
        self
    }

    /// The same, signed as if the clock were this far off; a negative offset is the past.
    #[must_use]
    pub fn signed_at(mut self, clock_offset_ms: i64) -> Self {
        self.clock_offset_ms = clock_offset_ms;
        self
    }

    /// The same, signed with something else than the identity signs with. Without a signature where
    /// [`SurveyedIdentity::can_forge`](crate::SurveyedIdentity::can_forge) says that it cannot be.
    #[must_use]
    pub fn forged(mut self, forgery: Forgery) -> Self {
        self.forgery = Some(forgery);
        self
    }

    /// The same, signed with this stamp whenever it is sent.
    #[must_use]
    pub fn frozen(mut self, stamp: Stamp) -> Self {
        self.frozen = Some(stamp);
        self
    }

    /// True if an identity's credentials are sent, in whatever form.
    pub fn carries_credentials(&self) -> bool {
        self.identity.is_some() && self.authenticate != Authenticate::Without
    }
}
