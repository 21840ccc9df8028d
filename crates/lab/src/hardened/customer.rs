//! Who the customers are.

use serde_json::{Value, json};

/// A customer of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Customer {
    /// Has a key, orders and invoices.
    Alice,
    /// Has a key, orders and invoices.
    Bob,
    /// Has a token under the shop's secret.
    Carol,
    /// Has a token under the shop's published key.
    Dave,
    /// Signs in, in a browser.
    Erin,
}

impl Customer {
    /// The customer of an id, such as the subject of a token.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        [Self::Alice, Self::Bob, Self::Carol, Self::Dave, Self::Erin].into_iter().find(|known| known.id() == id)
    }

    pub(super) fn id(self) -> &'static str {
        self.record().0
    }

    pub(super) fn profile(self) -> Value {
        let (id, name, email) = self.record();
        json!({ "id": id, "name": name, "email": email })
    }

    fn record(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Alice => ("cus_4Rk8mZ2q", "Alice Harrow", "alice.harrow@mail.example"),
            Self::Bob => ("cus_9Tv3xN7w", "Bob Quill", "bob.quill@mail.example"),
            Self::Carol => ("cus_2Hd6pK9s", "Carol Fennimore", "carol.fennimore@mail.example"),
            Self::Dave => ("cus_7Wb1yL4c", "Dave Ostler", "dave.ostler@mail.example"),
            Self::Erin => ("cus_5Jq8vR3n", "Erin Marlowe", "erin.marlowe@mail.example"),
        }
    }
}
