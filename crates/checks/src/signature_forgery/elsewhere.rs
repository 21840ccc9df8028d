//! Is the signature also read from another place?

use engine::{Check, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, subject};
use model::{Meta, Place, SignedPlace, SignedPlaces, Variant, Verdict};

use super::META;
use super::names::snake;
use super::tries::{self, Tries, Try};
use crate::signature_coverage::asked::{Asked, of_identity};

const ELSEWHERE: Variant = Variant {
    name: "elsewhere",
    when: "the signature is also read from where proxies and browsers keep it",
    cvss: None,
};

/// Names that APIs give to signature, timestamp, nonce and key id in a query.
///
/// **Source**: Binance (`signature`, `timestamp`), Shopify (`hmac`, `timestamp`), Azure SAS (`sig`),
/// Alibaba Cloud (`Signature`, `Timestamp`, `SignatureNonce`, `AccessKeyId`).
const NAMES: [[&str; 4]; 5] = [
    ["signature", "timestamp", "nonce", "key"],
    ["signature", "timestamp", "nonce", "key_id"],
    ["sig", "ts", "nonce", "key_id"],
    ["hmac", "timestamp", "nonce", "api_key"],
    ["Signature", "Timestamp", "SignatureNonce", "AccessKeyId"],
];

/// Is a signature accepted in the query or in a cookie?
pub(super) struct SignatureElsewhereAccepted;

impl Check for SignatureElsewhereAccepted {
    const META: Meta = Meta {
        id: "signature-elsewhere-accepted",
        title: "A signature is also accepted in the query or in a cookie",
        variants: &[ELSEWHERE],
        cwe: &[235, 287],
        reference: &["SIG-029"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        match elsewhere(&asked).len() {
            0 => Err(NotApplicable::new("its signature does not stand in a header of its own")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, elsewhere(&asked)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::single(seen, &Self::META)
    }
}

const PARTS: [Signed; 4] = [Signed::Signature, Signed::Timestamp, Signed::Nonce, Signed::KeyId];

fn elsewhere(asked: &Asked<'_>) -> Vec<Try> {
    let parts = parts(asked.places);
    let [Some(signature), ..] = parts else { return Vec::new() };
    let mut list = Vec::new();
    let mut add = |moves: Vec<(Signed, Place)>, what: String| {
        let edits: Vec<Edit> = moves.into_iter().map(|(part, place)| Edit::Signed(part, Tamper::Move(place))).collect();
        list.push(Try::signed(asked.draft.clone(), &edits, what));
    };
    let own = snake(signature);
    let mut alone = vec!["signature", "sig", own.as_str(), signature];
    alone.dedup();
    for name in alone {
        let query = Place::Query { name: name.to_owned() };
        add(vec![(Signed::Signature, query)], format!("the signature as query parameter `{name}`"));
    }
    let headers = parts.map(|header| header.map(snake));
    let all = NAMES.map(|names| names.map(|name| Some(name.to_owned()))).into_iter().chain([headers]);
    if parts.iter().flatten().count() > 1 {
        for names in all {
            let moves = PARTS.into_iter().zip(parts).zip(names);
            let moves =
                moves.filter_map(|((part, header), name)| Some((part, Place::Query { name: header.and(name)? })));
            add(moves.collect(), "the signature with all that belongs to it in the query".into());
        }
    }
    for name in ["signature", signature] {
        let cookie = Place::Cookie { name: name.to_owned() };
        add(vec![(Signed::Signature, cookie)], format!("the signature as cookie `{name}`"));
    }
    list
}

/// The header of each part; none where it stands elsewhere or in a list with others.
fn parts(places: &SignedPlaces) -> [Option<&str>; 4] {
    [Some(&places.signature), places.timestamp.as_ref(), places.nonce.as_ref(), places.key_id.as_ref()]
        .map(|place| place.and_then(own_header))
}

fn own_header(place: &SignedPlace) -> Option<&str> {
    match (&place.place, &place.member) {
        (Place::Header { name, .. }, None) => Some(name),
        (Place::Header { .. } | Place::Query { .. } | Place::Cookie { .. }, _) => None,
    }
}
