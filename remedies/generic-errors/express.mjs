// Answers every error with its status alone. Both stand after all routes:
//
//   app.use(notFound, genericErrors());

import { STATUS_CODES } from "node:http";

export function notFound(request, response) {
  response.status(404).json({ error: "not found" });
}

/** `log` gets the class of what nobody expected, never its text, which may hold what callers sent. */
export function genericErrors(log = console.error) {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) log(`unexpected ${error.constructor.name} at ${request.route?.path}`);
    response.status(status).json({ error: STATUS_CODES[status].toLowerCase() });
  };
}
