// Sets on every answer the headers that an API's answers should have.
//
//   app.use(securityHeaders);

export function securityHeaders(request, response, next) {
  response.removeHeader("X-Powered-By");
  response.set({
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
  });
  if (request.secure) response.set("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  next();
}
