//! The shop: products for every customer; orders, invoices and a profile for their owner alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::customer::Customer;
use super::problem::Problem;
use super::request::{Parameters, json_body, uuid};

/// Orders that one customer may have.
const ORDERS_PER_CUSTOMER: usize = 200;

/// Alice's first order, the description's example.
pub(super) const ALICE_ORDER: &str = "6f1d2c3b-8a47-4e95-b0d1-93c5e7f2a648";
/// The invoice of that order.
pub(super) const ALICE_INVOICE: &str = "d84b7e10-52c9-4f36-9a7e-1b6f0c3d8e25";
/// Bob's order.
pub(super) const BOB_ORDER: &str = "2e9a5f74-c1b8-4d03-8f6a-70d4b2e19c53";
const BOB_INVOICE: &str = "a37c5d92-0e4f-4b81-86d3-f92b1c7e4a60";

/// Stock number, name and price in cents.
const PRODUCTS: [(&str, &str, u64); 3] = [
    ("TEA-GREEN-100", "Green tea, 100 g", 640),
    ("TEA-BLACK-250", "Black tea, 250 g", 890),
    ("CUP-STONE-1", "Stoneware cup", 1450),
];

/// What the customers did, shared by all requests.
#[derive(Clone)]
pub(super) struct Shop(Arc<Mutex<Books>>);

struct Books {
    orders: Vec<Order>,
    invoices: Vec<Invoice>,
    /// Orders by who made them with which idempotency key.
    made: HashMap<(Customer, String), Uuid>,
}

#[derive(Clone)]
struct Order {
    id: Uuid,
    owner: Customer,
    status: Status,
    placed: &'static str,
    note: String,
    items: Vec<Item>,
}

struct Invoice {
    id: Uuid,
    owner: Customer,
    number: &'static str,
    order: Uuid,
    total_cents: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    Shipped,
    Cancelled,
}

#[derive(Clone)]
struct Item {
    sku: String,
    quantity: u64,
}

struct NewOrder {
    items: Vec<Item>,
    note: String,
}

type Answer = Result<Json<Value>, Problem>;

pub(super) async fn health(uri: Uri) -> Answer {
    Parameters::of(&uri, &[])?;
    Ok(Json(json!({ "status": "ok" })))
}

pub(super) async fn list_products(uri: Uri) -> Answer {
    let limit = Parameters::of(&uri, &["limit"])?.limit()?;
    let products: Vec<Value> = PRODUCTS.iter().take(limit).map(product).collect();
    Ok(Json(json!({ "products": products })))
}

pub(super) async fn read_product(uri: Uri, Path(sku): Path<String>) -> Answer {
    Parameters::of(&uri, &[])?;
    let known = PRODUCTS.iter().find(|(known, ..)| *known == sku);
    known.map(|known| Json(product(known))).ok_or(Problem::NOT_FOUND)
}

pub(super) async fn list(State(shop): State<Shop>, Extension(customer): Extension<Customer>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri, &["limit", "cursor"])?;
    let limit = parameters.limit()?;
    let books = shop.books();
    let own: Vec<&Order> = books.orders_of(customer).collect();
    let start = match parameters.value("cursor") {
        None => 0,
        Some(cursor) => position_after(&own, cursor)?,
    };
    let page: Vec<&Order> = own[start..].iter().take(limit).copied().collect();
    let has_more = start + page.len() < own.len();
    let next = page.last().filter(|_| has_more).map(|order| order.id.to_string());
    let rows: Vec<Value> = page.into_iter().map(row).collect();
    Ok(Json(json!({ "orders": rows, "next_cursor": next })))
}

pub(super) async fn search(State(shop): State<Shop>, Extension(customer): Extension<Customer>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri, &["status", "limit"])?;
    let limit = parameters.limit()?;
    let status = parameters
        .value("status")
        .and_then(Status::named)
        .ok_or(Problem::invalid("status is open, shipped or cancelled."))?;
    let books = shop.books();
    let orders = books.orders_of(customer).filter(|order| order.status == status);
    let rows: Vec<Value> = orders.take(limit).map(row).collect();
    Ok(Json(json!({ "orders": rows })))
}

pub(super) async fn read(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
    Path(id): Path<String>,
) -> Answer {
    Parameters::of(&uri, &[])?;
    let id = uuid(&id)?;
    Ok(Json(whole(shop.books().order(customer, id)?)))
}

pub(super) async fn read_items(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
    Path(id): Path<String>,
) -> Answer {
    Parameters::of(&uri, &[])?;
    let id = uuid(&id)?;
    let books = shop.books();
    Ok(Json(json!({ "items": items(books.order(customer, id)?) })))
}

/// Answers 201 with the order; the same idempotency key answers the same order again.
pub(super) async fn create(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    Parameters::of(&uri, &[])?;
    let key = idempotency_key(&headers)?;
    let body = json_body(&headers, body).await?;
    let wanted = NewOrder::of(&body).ok_or(Problem::UNDECLARED)?;
    check(&wanted)?;
    let order = shop.books().make(customer, key, wanted)?;
    let location = [(header::LOCATION, format!("/v2/orders/{}", order.id))];
    Ok((StatusCode::CREATED, location, Json(whole(&order))).into_response())
}

pub(super) async fn cancel(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    Parameters::of(&uri, &[])?;
    let id = uuid(&id)?;
    let mut books = shop.books();
    let mut orders = books.orders.iter_mut();
    let order = orders.find(|order| order.owner == customer && order.id == id).ok_or(Problem::NOT_FOUND)?;
    if order.status != Status::Open {
        return Err(Problem::NOT_CANCELLABLE);
    }
    order.status = Status::Cancelled;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn list_invoices(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
) -> Answer {
    let limit = Parameters::of(&uri, &["limit"])?.limit()?;
    let books = shop.books();
    let own = books.invoices.iter().filter(|invoice| invoice.owner == customer);
    let invoices: Vec<Value> = own.take(limit).map(invoice_body).collect();
    Ok(Json(json!({ "invoices": invoices })))
}

pub(super) async fn read_invoice(
    State(shop): State<Shop>,
    Extension(customer): Extension<Customer>,
    uri: Uri,
    Path(id): Path<String>,
) -> Answer {
    Parameters::of(&uri, &[])?;
    let id = uuid(&id)?;
    let books = shop.books();
    let mut own = books.invoices.iter().filter(|invoice| invoice.owner == customer);
    let invoice = own.find(|invoice| invoice.id == id);
    invoice.map(|invoice| Json(invoice_body(invoice))).ok_or(Problem::NOT_FOUND)
}

pub(super) async fn read_profile(Extension(customer): Extension<Customer>, uri: Uri) -> Answer {
    Parameters::of(&uri, &[])?;
    Ok(Json(customer.profile()))
}

impl Shop {
    /// The shop with the orders that it opens with.
    pub(super) fn open() -> Self {
        use Customer::{Alice, Bob};
        let orders = vec![
            order(
                ALICE_ORDER,
                Alice,
                Status::Open,
                "2025-05-02",
                "Leave it with the bees, gate 31.",
                "TEA-GREEN-100",
                2,
            ),
            order(
                "b7c0e4a9-3d52-4186-a9f0-5e8d1c72b364",
                Alice,
                Status::Shipped,
                "2025-04-11",
                "Ring twice, the dog Pilchard is deaf.",
                "CUP-STONE-1",
                4,
            ),
            order(
                "58d3f1b6-9e20-4a7c-bc45-0f61a8d2e937",
                Alice,
                Status::Cancelled,
                "2025-03-28",
                "",
                "TEA-BLACK-250",
                1,
            ),
            order(
                BOB_ORDER,
                Bob,
                Status::Open,
                "2025-05-04",
                "Boathouse, behind the blue Kestrel.",
                "TEA-BLACK-250",
                3,
            ),
            order("c60f9b2d-7a18-4e54-93cb-d2a5e8174f06", Bob, Status::Shipped, "2025-04-19", "", "TEA-GREEN-100", 1),
        ];
        let invoices = vec![
            invoice(ALICE_INVOICE, Alice, "2025-0417", ALICE_ORDER, 1280),
            invoice(BOB_INVOICE, Bob, "2025-0423", BOB_ORDER, 2670),
        ];
        Self(Arc::new(Mutex::new(Books { orders, invoices, made: HashMap::new() })))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn orders_of(&self, customer: Customer) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.owner == customer)
    }

    fn order(&self, customer: Customer, id: Uuid) -> Result<&Order, Problem> {
        let mut own = self.orders_of(customer);
        own.find(|order| order.id == id).ok_or(Problem::NOT_FOUND)
    }

    fn make(&mut self, customer: Customer, key: String, wanted: NewOrder) -> Result<Order, Problem> {
        if let Some(id) = self.made.get(&(customer, key.clone())) {
            return self.order(customer, *id).cloned();
        }
        if self.orders_of(customer).count() >= ORDERS_PER_CUSTOMER {
            return Err(Problem::invalid("There are too many orders."));
        }
        let order = Order {
            id: new_id(customer, &key),
            owner: customer,
            status: Status::Open,
            placed: "2025-05-05",
            note: wanted.note,
            items: wanted.items,
        };
        self.made.insert((customer, key), order.id);
        self.orders.push(order.clone());
        Ok(order)
    }
}

impl NewOrder {
    fn of(body: &Map<String, Value>) -> Option<Self> {
        if body.keys().any(|name| name != "items" && name != "note") {
            return None;
        }
        let items = body.get("items")?.as_array()?;
        let note = match body.get("note") {
            Some(note) => note.as_str()?,
            None => "",
        };
        Some(Self { items: items.iter().map(Item::of).collect::<Option<_>>()?, note: note.to_owned() })
    }
}

impl Item {
    fn of(value: &Value) -> Option<Self> {
        let members = value.as_object().filter(|members| members.len() == 2)?;
        Some(Self { sku: members.get("sku")?.as_str()?.to_owned(), quantity: members.get("quantity")?.as_u64()? })
    }
}

impl Status {
    fn named(name: &str) -> Option<Self> {
        [Self::Open, Self::Shipped, Self::Cancelled].into_iter().find(|status| status.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where the next page starts. A cursor of somebody else is as invalid as one that is made up.
fn position_after(own: &[&Order], cursor: &str) -> Result<usize, Problem> {
    let invalid = Problem::invalid("The cursor is not one that the list answered.");
    let id = uuid(cursor).map_err(|_| invalid)?;
    let position = own.iter().position(|order| order.id == id).ok_or(invalid)?;
    Ok(position + 1)
}

/// **Source**: draft-ietf-httpapi-idempotency-key-header, section 2; the length is chosen.
fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !(16..=64).contains(&key.len()) || !is_plain {
        return Err(Problem::NO_IDEMPOTENCY_KEY);
    }
    Ok(key.to_owned())
}

fn check(wanted: &NewOrder) -> Result<(), Problem> {
    if !(1..=20).contains(&wanted.items.len()) {
        return Err(Problem::invalid("An order has 1 to 20 items."));
    }
    if wanted.items.iter().any(|item| !(1..=100).contains(&item.quantity)) {
        return Err(Problem::invalid("quantity is a number from 1 to 100."));
    }
    if wanted.items.iter().any(|item| price_cents(&item.sku).is_none()) {
        return Err(Problem::invalid("sku is one that the products list."));
    }
    if wanted.note.chars().count() > 200 || wanted.note.chars().any(char::is_control) {
        return Err(Problem::invalid("note has at most 200 characters, on one line."));
    }
    Ok(())
}

/// Unpredictable to whoever does not know the secret, and the same in every run of the lab.
fn new_id(customer: Customer, key: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"\x8e\x25\xd1\x6a\xf7\x03\xbc\x94\x5d\xe8\x70\x1f\xa9\x46\xc2\x3b")
        .chain_update([customer as u8])
        .chain_update(key)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}

fn price_cents(sku: &str) -> Option<u64> {
    let product = PRODUCTS.iter().find(|(known, ..)| *known == sku)?;
    Some(product.2)
}

fn total_cents(order: &Order) -> u64 {
    let prices = order.items.iter().map(|item| (price_cents(&item.sku), item.quantity));
    prices.map(|(price, quantity)| price.unwrap_or(0) * quantity).sum()
}

fn product((sku, name, price_cents): &(&str, &str, u64)) -> Value {
    json!({ "sku": sku, "name": name, "price_cents": price_cents })
}

fn row(order: &Order) -> Value {
    json!({
        "id": order.id.to_string(),
        "status": order.status.name(),
        "placed_on": order.placed,
        "total_cents": total_cents(order),
    })
}

fn whole(order: &Order) -> Value {
    let mut body = row(order);
    body["note"] = json!(order.note);
    body["items"] = items(order);
    body
}

fn items(order: &Order) -> Value {
    let items = order.items.iter();
    items.map(|item| json!({ "sku": item.sku, "quantity": item.quantity })).collect()
}

fn invoice_body(invoice: &Invoice) -> Value {
    json!({
        "id": invoice.id.to_string(),
        "number": invoice.number,
        "order_id": invoice.order.to_string(),
        "total_cents": invoice.total_cents,
    })
}

fn order(
    id: &str,
    owner: Customer,
    status: Status,
    placed: &'static str,
    note: &str,
    sku: &str,
    quantity: u64,
) -> Order {
    Order {
        id: known_id(id),
        owner,
        status,
        placed,
        note: note.to_owned(),
        items: vec![Item { sku: sku.to_owned(), quantity }],
    }
}

fn invoice(id: &str, owner: Customer, number: &'static str, order: &str, total_cents: u64) -> Invoice {
    Invoice { id: known_id(id), owner, number, order: known_id(order), total_cents }
}

fn known_id(id: &str) -> Uuid {
    Uuid::try_parse(id).expect("the ids above are UUIDs")
}
