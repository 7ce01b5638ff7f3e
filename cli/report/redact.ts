import { withoutCredentials } from "../../model/user-error";

/** What must not be in a report. */
export interface PrivateWords {
  /** Values that are secret: keys, tokens, passphrases. */
  readonly secrets: readonly string[];
  /** Folders and names that tell who the user is, with what replaces them. */
  readonly folders: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
}

const REDACTED = "<redacted>";
const SHORTEST_SECRET = 6;
/** A shorter word of a secret may be an ordinary one. */
const SHORTEST_WORD = 24;
/** A line feed in JSON does not belong to the word after it. */
const WORD = /\\n|[A-Za-z0-9+/_.-]{24,}={0,2}/g;

/** What looks like a secret, whatever it belongs to. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, REDACTED],
  // A token of a service account, a token of a joining node, tokens of Pulumi, AWS and GitHub.
  [/\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]+)?/g, REDACTED],
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, REDACTED],
  [/\b(?:pul-[0-9a-f]{40}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,})\b/g, REDACTED],
  [/(\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',]+/gi, `$1${REDACTED}`],
  // Not times and numbers, such as Corosync's `token: 1000`.
  [
    /((?:password|passphrase|passwd|secret|token|api[-_]?key|private[-_]?key|encryptionsalt|key-data)["']?\s*[:=]\s*["']?)(?!\d+(?:\.\d+)?(?:ms|s|m|h)?\b)(?!<redacted>)[^\s"',;&}]{4,}/gi,
    `$1${REDACTED}`,
  ],
];

/** Base64 of keys and certificates. Digests in hex, and paths, have no mixture of cases and digits. */
const LONG_WORD = /[A-Za-z0-9+/]{60,}={0,2}/g;
const isEncoded = (word: string): boolean => /[a-z]/.test(word) && /[A-Z]/.test(word) && /[0-9]/.test(word);

/** Removes secrets and what identifies the user from a text. Pure. */
export function redactor({ secrets, folders, names }: PrivateWords): (text: string) => string {
  const values = longestFirst([...new Set(secrets.flatMap(formsOf))]);
  const words = new Set(secrets.flatMap(wordsOf));
  const places = longestFirst(Object.keys(folders).filter((folder) => folder.length > 1));
  const folderPattern = anyOf(places, "(?<![\\w./-])", "(?![\\w.-])");
  const namePattern = anyOf(longestFirst(Object.keys(names)), "(?<![A-Za-z0-9])", "(?![A-Za-z0-9])");
  return (text) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, REDACTED);
    clean = clean.replace(WORD, (word) => (words.has(word) ? REDACTED : word));
    clean = withoutCredentials(clean);
    for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
    clean = clean.replace(LONG_WORD, (word) => (isEncoded(word) ? REDACTED : word));
    if (folderPattern) clean = clean.replace(folderPattern, (folder) => folders[folder] ?? REDACTED);
    clean = clean.replace(/(\/(?:home|Users)\/)[^\s/:"',;)\]}]+/g, "$1<user>");
    return namePattern ? clean.replace(namePattern, (name) => names[name] ?? REDACTED) : clean;
  };
}

/** The value as it is, in JSON, and in base64. */
function formsOf(secret: string): readonly string[] {
  const value = secret.trim();
  if (value.length < SHORTEST_SECRET) return [];
  const base64 = [secret, value].map((text) => Buffer.from(text).toString("base64"));
  return [value, JSON.stringify(value).slice(1, -1), ...base64];
}

/** The long words in a value, such as the lines of a key: a log may have only some of them. */
const wordsOf = (secret: string): readonly string[] =>
  (secret.match(WORD) ?? []).filter((word) => word.length >= SHORTEST_WORD);

const longestFirst = (words: readonly string[]): readonly string[] => [...words].sort((a, b) => b.length - a.length);

const anyOf = (words: readonly string[], before: string, after: string): RegExp | undefined =>
  words.length === 0
    ? undefined
    : new RegExp(
        `${before}(?:${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})${after}`,
        "g",
      );
