/** The only code that escapes values. It rejects values that a format cannot represent and never changes them silently. */

export class UnquotableValueError extends Error {
  constructor(value: string, where: string) {
    super(`${JSON.stringify(value)} cannot be written into ${where}`);
    this.name = "UnquotableValueError";
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it searches for them
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;
const plainWord = /^[A-Za-z0-9_./:@%+=,-]+$/;
const variableName = /^[A-Z][A-Z0-9_]*$/;
const loneSurrogate = /[\ud800-\udfff]/u;

/** The value itself, when it is one line without control characters. */
export function singleLine(value: string, where: string): string {
  if (controlCharacter.test(value) || loneSurrogate.test(value)) throw new UnquotableValueError(value, where);
  return value;
}

/** One word of a POSIX shell command. */
export function shellWord(value: string): string {
  singleLine(value, "a shell command");
  return plainWord.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * `NAME="value"` and a newline, with the same meaning for a POSIX shell's `.` and systemd's EnvironmentFile: both support these
 * four escapes inside double quotes, but differ about single quotes.
 */
export function envLine(name: string, value: string): string {
  if (!variableName.test(name)) throw new UnquotableValueError(name, "an environment file as a name");
  return `${name}="${singleLine(value, "an environment file").replace(/[\\"$`]/g, "\\$&")}"\n`;
}

/**
 * A value for dnsmasq, haproxy, corosync, nftables and similar programs. Their quoting differs, and no planned value needs it:
 * names, addresses, numbers and paths pass, everything else is rejected.
 */
export function confValue(value: string | number): string {
  const text = String(value);
  if (!plainWord.test(text)) throw new UnquotableValueError(text, "a configuration file");
  return text;
}

/** Text or a double-quoted attribute value of an XML document. */
export function xmlText(value: string): string {
  return singleLine(value, "an XML document")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
