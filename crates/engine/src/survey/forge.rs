//! What can be said of an identity's signatures without sending one.

use std::sync::Arc;

use model::{Forgery, Origin, Request, Signer, Stamp};

use super::SurveyedIdentity;

impl SurveyedIdentity {
    /// True if its scheme has what is to be forged.
    pub fn can_forge(&self, forgery: &Forgery) -> bool {
        self.forged(forgery).is_some()
    }

    /// True if the forgery is what it signs with itself. Never where each signature of one text is
    /// another one, as with ECDSA.
    pub fn signs_as(&self, forgery: &Forgery) -> bool {
        match (&self.signer, self.forged(forgery)) {
            (Some(own), Some(forged)) => signed_by(&**own) == signed_by(&*forged),
            _ => false,
        }
    }

    /// True if another identity signs in the same form with the same secret.
    pub fn shares_secret_with(&self, other: &Self) -> bool {
        let Some(theirs) = &other.signer else { return false };
        let forged = self.forged(&Forgery { key_id: other.key_id(), ..Forgery::default() });
        forged.is_some_and(|forged| signed_by(&*forged) == signed_by(&**theirs))
    }

    /// The key id that its requests name; absent where its scheme has none.
    pub fn key_id(&self) -> Option<String> {
        self.signed.as_ref()?.key_id.as_ref()?.read(&signed_by(&**self.signer.as_ref()?))
    }

    /// True where whoever holds one of its signatures can sign a longer text without the secret.
    pub fn is_length_extensible(&self) -> bool {
        self.signer.as_ref().is_some_and(|signer| signer.is_length_extensible())
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        self.signer.as_ref()?.forged(forgery)
    }
}

/// A request that is never sent, signed always at the same moment.
fn signed_by(signer: &dyn Signer) -> Request {
    let mut request = Request::get("/");
    request.origin = Some(Origin { secure: true, host: "host.invalid".into(), port: 443 });
    signer.sign(&mut request, &Stamp { unix_ms: 1_700_000_000_000, nonce: "0".repeat(32) });
    request
}
