/** Control characters (Unicode, category Cc), and those that turn the direction of text (Bidi_Control). */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text of a stranger, such as an image, so that it cannot drive the terminal that it is shown on. White
 * space other than a space becomes one.
 */
export function printable(text: string): string {
  return text.replace(/\s/g, " ").replace(UNPRINTABLE, "\ufffd");
}
