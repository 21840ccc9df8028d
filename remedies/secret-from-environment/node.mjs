// Reads secrets from the environment, and ends the program where one is weak.
//
//   const jwtSecret = secret("JWT_SECRET");

const PLACEHOLDER = /change.?me|placeholder|example|secret|password|[{<$*]|(.)\1{5}/i;

/** The secret of a variable; the message of the error never repeats the value. */
export function secret(name, leastBytes = 32) {
  const value = process.env[name] ?? "";
  if (Buffer.byteLength(value) < leastBytes) throw new Error(`${name} must hold at least ${leastBytes} bytes`);
  if (new Set(value).size < 12 || PLACEHOLDER.test(value)) throw new Error(`${name} must be random, not a placeholder`);
  return value;
}
