/**
 * Control characters (Unicode, category Cc), and those that change text direction (Bidi_Control).
 */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes untrusted text, such as that of an image, safe to print to a terminal. White space becomes
 * spaces.
 */
export function printable(text: string): string {
  return text.replace(/\s/g, " ").replace(UNPRINTABLE, "\ufffd");
}
