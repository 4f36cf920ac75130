/** Markup as a value that cannot be mixed up with text: what is put into a template is escaped unless it is markup itself. */

/** A piece of markup. */
export interface Html {
  readonly html: string;
}

/** What a template takes: text and numbers are escaped, nothing comes from null, undefined and false, lists are joined. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** HTML has no way to write other control characters; a name that holds one is shown with a replacement character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

/** Text for the content of an element, or for an attribute in quotes. */
export function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A template of markup. Attributes must be in quotes. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return { html: parts.reduce((whole, part, index) => whole + toHtml(values[index - 1]) + part) };
}

/** Markup that is known to be safe: made by this program, never from a record. */
export function raw(markup: string): Html {
  return { html: markup };
}

function toHtml(value: Content): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  if ('html' in value) return value.html;
  return value.map(toHtml).join('');
}

/** A value as JSON for a `<script type="application/json">`: nothing in it ends the element, or a line of a script. */
export function jsonForScript(value: unknown): Html {
  const escaped = (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { html: escaped };
}
