/** A word of a command that a user is shown to copy: names of files and variants may hold whatever a shell would act on. */

/** The word in quotes where a POSIX shell needs them. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
