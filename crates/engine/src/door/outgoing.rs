//! From a draft to the request that goes out: credentials, signature, edits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{Credential, Forgery, Headers, Request, SignedAs, SignedPlaces, Signer, Stamp};

use super::Door;
use crate::draft::{Authenticate, Draft};
use crate::edit::{Edit, Tamper, apply};
use crate::identities::Live;
use crate::transport::allowed;

/// Seconds that a request waits for a signature that was not sent before.
///
/// **Source**: chosen; each second frees one, and few requests wait at once.
const SECONDS_WAITED: u32 = 30;

/// A request as it would be sent. Holds credentials: never to be stored.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Signed, with all edits.
    pub request: Request,
    /// The text that its signature is made over, as bytes, where the scheme says it.
    pub signed_text: Option<Vec<u8>>,
}

/// A request as it goes out, and the signatures that were made for it or stand in it.
pub(super) struct Finished {
    pub(super) request: Request,
    pub(super) signatures: Vec<String>,
    /// How it can be signed anew, where it can.
    pub(super) signed_as: Option<SignedAs>,
}

impl Door {
    /// The request with common headers, credentials, signature and edits in place.
    pub(super) async fn finish(&self, draft: &Draft, live: Option<&Live>) -> Finished {
        let request = self.with_credentials(draft, live);
        let Some((live, signer)) = live.and_then(|live| Some((live, signer(draft, live)?))) else {
            return unsigned(draft, request);
        };
        let stamp = match &draft.frozen {
            Some(stamp) => stamp.clone(),
            None if draft.after_signing.iter().any(Edit::unsigns) => stamp(draft.clock_offset_ms),
            None => self.unused_stamp(draft, live, &*signer, &request).await,
        };
        signed(draft, request, &*signer, &stamp)
    }

    /// The request that a draft becomes, and the text that its signature is made over.
    pub(crate) fn prepared(&self, draft: &Draft) -> Option<Prepared> {
        let live = self.identities.by_name(draft.identity.as_deref()?)?;
        let signer = signer(draft, live)?;
        let stamp = draft.frozen.clone().unwrap_or_else(|| stamp(draft.clock_offset_ms));
        let request = signed(draft, self.with_credentials(draft, Some(live)), &*signer, &stamp).request;
        let signed_text = signer.canonical(&request);
        Some(Prepared { request, signed_text })
    }

    /// The request with common headers and credentials in place, to be signed.
    fn with_credentials(&self, draft: &Draft, live: Option<&Live>) -> Request {
        let mut request = draft.request.clone();
        allowed::encode(&mut request.target);
        for (name, value) in &self.headers {
            if !request.headers.contains(name) {
                request.headers.push(name, value);
            }
        }
        let Some(live) = live else {
            for (name, value) in self.learnt_headers.lock().expect("no holder panics").iter() {
                if !request.headers.contains(name) {
                    request.headers.push(name, value);
                }
            }
            return request;
        };
        for (name, value) in live.headers.lock().expect("no holder panics").iter() {
            if !request.headers.contains(name) {
                request.headers.push(name, value);
            }
        }
        self.authenticate(draft, live, &mut request);
        if signer(draft, live).is_some() {
            // A scheme that covers the host needs to know it.
            request.origin.get_or_insert_with(|| self.origin.clone());
        }
        request
    }

    /// The stamp with which this draft would be signed now, its signature counted as sent.
    pub(crate) async fn stamp(&self, draft: &Draft) -> Stamp {
        let live = draft.identity.as_ref().and_then(|name| self.identities.by_name(name));
        match live.and_then(|live| Some((live, signer(draft, live)?))) {
            Some((live, signer)) => {
                let request = self.with_credentials(draft, Some(live));
                self.unused_stamp(draft, live, &*signer, &request).await
            }
            None => stamp(draft.clock_offset_ms),
        }
    }

    /// A stamp that gives a signature which was not sent before, where the time alone makes it new.
    /// Waits for the next seconds where the server is known to refuse others.
    async fn unused_stamp(&self, draft: &Draft, live: &Live, signer: &dyn Signer, request: &Request) -> Stamp {
        let now = || stamp(draft.clock_offset_ms);
        let places = match signer.places() {
            Some(places) if live.signatures.matter(signer, &places) => places,
            Some(_) | None => return now(),
        };
        for _ in 0..SECONDS_WAITED {
            if let Some(stamp) = live.signatures.reserve(signer, &places, request, &now()) {
                return stamp;
            }
            let is_over = self.is_interrupted() || self.budget.time_left().is_zero();
            if is_over || !live.signatures.are_refused() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        now()
    }

    fn authenticate(&self, draft: &Draft, live: &Live, request: &mut Request) {
        let credentials = live.generation().credentials;
        for (position, Credential { place, value }) in credentials.iter().enumerate() {
            match &draft.authenticate {
                Authenticate::Own => place.put(request, value.expose()),
                Authenticate::Without => {}
                Authenticate::Dropping(dropped) => {
                    if *dropped != position {
                        place.put(request, value.expose());
                    }
                }
                Authenticate::Replacing { position: replaced, value: other, label } => {
                    let value = if *replaced == position { other } else { value };
                    place.put(request, value.expose());
                    if let (true, Some(label)) = (*replaced == position, label) {
                        self.mask(other.expose(), label);
                    }
                }
            }
        }
    }
}

/// What signs this draft; none where it is sent without a signature.
fn signer(draft: &Draft, live: &Live) -> Option<Arc<dyn Signer>> {
    let own = live.identity.signer.as_ref().filter(|_| draft.authenticate != Authenticate::Without)?;
    match &draft.forgery {
        Some(forgery) => own.forged(forgery),
        None => Some(own.clone()),
    }
}

/// The request without a signature, its edits in place.
fn unsigned(draft: &Draft, mut request: Request) -> Finished {
    apply(&draft.after_signing, &mut request, None, None);
    Finished { request, signatures: Vec::new(), signed_as: None }
}

/// The request signed with this stamp, its edits in place.
fn signed(draft: &Draft, mut request: Request, signer: &dyn Signer, at: &Stamp) -> Finished {
    let renews = |edit: &Edit| matches!(edit, Edit::Signed(_, Tamper::Renewed));
    let renewed = draft.after_signing.iter().any(renews).then(|| {
        let mut renewed = request.clone();
        signer.sign(&mut renewed, &stamp(0));
        renewed
    });
    let bare = request.clone();
    signer.sign(&mut request, at);
    let places = signer.places();
    let mut signatures = signatures(&request, &bare.headers, places.as_ref());
    let valid = request.clone();
    apply(&draft.after_signing, &mut request, places.as_ref(), renewed.as_ref());
    let sent = places.and_then(|places| places.signature.read(&request));
    let key_id = draft.forgery.as_ref().and_then(|forgery| forgery.key_id.clone());
    let by_key_id = Forgery { key_id: key_id.clone(), ..Forgery::default() };
    let is_own = draft.forgery.as_ref().is_none_or(|forgery| *forgery == by_key_id) && signer.sample().is_none();
    let is_whole = sent.iter().all(|sent| signatures.contains(sent));
    let anew = SignedAs { clock_offset_ms: draft.clock_offset_ms, key_id, ..SignedAs::default() };
    let signed_as = (is_own && is_whole).then(|| signed_as(anew, bare, &valid, &request)).flatten();
    signatures.extend(sent);
    Finished { request, signatures, signed_as }
}

/// What signing put into a request, of which what was sent is that; `None` where it put something into the
/// body.
fn signed_as(mut signed_as: SignedAs, bare: Request, valid: &Request, sent: &Request) -> Option<SignedAs> {
    if bare.body != valid.body {
        return None;
    }
    let values = |request: &Request, name: &str| -> Vec<String> { request.headers.all(name).map(Into::into).collect() };
    let set = |name: &&str| values(valid, name) != values(&bare, name);
    for name in valid.headers.iter().map(|(name, _)| name).filter(set).map(str::to_owned).collect::<BTreeSet<_>>() {
        match values(sent, &name) {
            none if none.is_empty() => signed_as.left_out.push(name),
            same if same == values(valid, &name) => signed_as.headers.push(name),
            _ => {}
        }
    }
    let pairs = |request: &Request| -> BTreeSet<String> {
        request.query().unwrap_or_default().split('&').map(str::to_owned).collect()
    };
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    for pair in pairs(valid).difference(&pairs(&bare)) {
        let own = pairs(sent);
        if own.contains(pair) {
            signed_as.query.push(name(pair));
        } else if !own.iter().any(|other| name(other) == name(pair)) {
            signed_as.left_out.push(name(pair));
        }
    }
    let unsigned = signed_as.without(sent);
    let is_same = (&unsigned.method, &unsigned.target, &unsigned.body) == (&bare.method, &bare.target, &bare.body)
        && unsigned.headers == bare.headers;
    signed_as.request = (!is_same).then_some(bare);
    Some(signed_as)
}

/// The signature that signing put into a request. Where its place is not known: the headers that were not
/// there before and are named after one.
fn signatures(request: &Request, unsigned: &Headers, places: Option<&SignedPlaces>) -> Vec<String> {
    if let Some(places) = places {
        return places.signature.read(request).into_iter().collect();
    }
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["signature", "authorization", "dpop", "mac"].iter().any(|w| name.contains(w)) && name != "signature-input"
    };
    let added = request.headers.iter().filter(|(name, value)| unsigned.first(name) != Some(*value));
    added.filter(|(name, _)| is_named(name)).map(|(_, value)| value.to_owned()).collect()
}

/// The time of now with an offset, and a nonce that was never used.
fn stamp(clock_offset_ms: i64) -> Stamp {
    let unix_ms = chrono::Utc::now().timestamp_millis() + clock_offset_ms;
    Stamp { unix_ms, nonce: uuid::Uuid::now_v7().simple().to_string() }
}
