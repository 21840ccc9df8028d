// The orders and files that every app serves. All of it is test data, the same as in Python.

export const ORDERS = [
  { id: 1001, owner: "northwind", item: "espresso beans 5 kg", pickup_code: "nw-7f3a9c2e41d8" },
  { id: 1002, owner: "northwind", item: "paper filters", pickup_code: "nw-c05be1774a92" },
  { id: 1003, owner: "contoso", item: "oat drink 1 l", pickup_code: "co-91d6f8b3205c" },
];

export function newFiles() {
  return new Map([
    ["terms.txt", Buffer.from("Net 30 days.\n")],
    ["2026/q3.txt", Buffer.from("Third quarter, by region.\n")],
    ["2026%2Fq3.txt", Buffer.from("Third quarter, by partner.\n")],
  ]);
}
