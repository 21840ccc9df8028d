//! Where a description says that a signature stands.

use inventory::{Inventory, Operation, ParameterLocation, Security, SecurityScheme};

/// The header in which every request of an operation needs a signature, by the description: a required
/// header parameter, or a key of each alternative of its security.
pub(super) fn signature_header(operation: &Operation, inventory: &Inventory) -> Option<String> {
    let parameter = operation
        .parameters
        .iter()
        .find(|p| p.required && p.location == ParameterLocation::Header && is_signature(&p.name));
    if let Some(parameter) = parameter {
        return Some(parameter.name.clone());
    }
    let Security::Required { alternatives, optional: false } = &operation.security else { return None };
    let header_of = |scheme: &str| match inventory.security_schemes.get(scheme) {
        Some(SecurityScheme::ApiKey { location: ParameterLocation::Header, name }) if is_signature(name) => {
            Some(name.clone())
        }
        Some(_) | None => None,
    };
    let mut headers = alternatives.iter().map(|together| together.iter().find_map(|need| header_of(&need.scheme)));
    let first = headers.next()??;
    headers.all(|header| header.is_some()).then_some(first)
}

/// Words of headers that stand beside a signature and are none.
const BESIDE: [&str; 9] = ["time", "nonce", "version", "algo", "method", "input", "headers", "key-id", "keyid"];

/// True for the name of a header that holds a signature.
///
/// **Source**: the documents of GitHub (`X-Hub-Signature-256`), Stripe, Slack, Twilio, Shopify
/// (`X-Shopify-Hmac-Sha256`), Coinbase (`CB-ACCESS-SIGN`), Kraken (`API-Sign`), Standard Webhooks, RFC 9421.
pub(super) fn is_signature(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let says =
        name.contains("signature") || name.split('-').any(|word| matches!(word, "sign" | "sig" | "hmac" | "mac"));
    says && !BESIDE.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::is_signature;

    #[test]
    fn headers_that_hold_a_signature_are_known_by_name() {
        for name in ["X-Signature", "Signature", "X-Hub-Signature-256", "CB-ACCESS-SIGN", "X-Shopify-Hmac-Sha256"] {
            assert!(is_signature(name), "{name}");
        }
        for name in
            ["X-Signature-Timestamp", "X-Signed-At", "X-Design", "Signature-Input", "X-Machine", "X-Sig-Version"]
        {
            assert!(!is_signature(name), "{name}");
        }
    }
}
