// What has been used already. Kept in the process, which is the only one of its app.

/** Returns a function that tells whether a value had not been seen for `seconds`, and remembers it. */
export function firstUse(seconds) {
  const until = new Map();
  return (value) => {
    const now = performance.now();
    for (const [known, end] of until) if (end <= now) until.delete(known);
    if (until.has(value)) return false;
    until.set(value, now + seconds * 1000);
    return true;
  };
}
