// base64url without padding (RFC 7515 section 2). One text for one sequence of bytes: another alphabet, padding, or set
// bits behind the last byte (RFC 4648 section 3.5) are never taken.

/** The bytes, or `undefined` where the text is not their one spelling. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
