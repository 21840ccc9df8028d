// Picks what an answer may hold.
//
//   const ORDER = ["id", "item", "quantity"];
//   app.get("/orders/:id", (request, response) => response.json(only(ORDER, findOrder(request.params.id))));

/**
 * The members of a record, or of each in a list, that stand in `fields`: names, or an object of names
 * with the fields below, such as `{ id: true, owner: ["name"] }`.
 */
export function only(fields, record) {
  if (Array.isArray(record)) return record.map((one) => only(fields, one));
  const below = Array.isArray(fields) ? Object.fromEntries(fields.map((name) => [name, true])) : fields;
  const kept = Object.entries(below).filter(([name]) => Object.hasOwn(record, name));
  return Object.fromEntries(kept.map(([name, own]) => [name, own === true ? record[name] : only(own, record[name])]));
}
