// Keeps every answer out of caches, except those whose route sets Cache-Control.
//
//   app.use(forbidStoring);

export function forbidStoring(request, response, next) {
  response.set("Cache-Control", "no-store");
  next();
}
