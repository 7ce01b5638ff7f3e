/** One file of a report. */
export interface ReportPart {
  /** Path in the archive. */
  readonly file: string;
  /** Its text, or an object that is written as JSON. */
  read(): Promise<unknown>;
}

export interface CollectedReport {
  readonly files: Readonly<Record<string, string>>;
  /** What could not be had, and why. */
  readonly missing: readonly { readonly file: string; readonly reason: string }[];
}

/** Part of a log's end. */
export const LOG_BYTES = 512 * 1024;

/** The end of a text, from the start of a line. */
export function tail(text: string, bytes = LOG_BYTES): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const end = Buffer.from(text).subarray(-bytes).toString("utf8");
  return `[only the last ${bytes} bytes]\n${end.slice(end.indexOf("\n") + 1)}`;
}

/** Reads all parts at once. One that fails, or takes too long, is named and stops no other. */
export async function collect(
  parts: readonly ReportPart[],
  redact: (text: string) => string,
  limitMs: number,
): Promise<CollectedReport> {
  const files: Record<string, string> = {};
  const missing: { file: string; reason: string }[] = [];
  const results = await Promise.allSettled(parts.map((part) => within(limitMs, part.read())));
  for (const [index, result] of results.entries()) {
    const file = parts[index]?.file ?? "";
    if (result.status === "rejected") missing.push({ file, reason: redact(reasonOf(result.reason)) });
    else files[file] = redact(textOf(result.value));
  }
  return { files, missing };
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : `${JSON.stringify(value, null, 2) ?? "nothing"}\n`;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();

function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
