/** Numbers of a version, most significant first: `[7, 0, 2]`. */
export type Version = readonly number[];

/**
 * The first version at the start of a line, also as `v1.2.3` or `go1.2`; `undefined` when there is none. What follows the
 * numbers does not matter.
 */
export function parseVersion(text: string): Version | undefined {
  const found = /^(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?/m.exec(text);
  return found?.slice(1).flatMap((number) => (number === undefined ? [] : [Number(number)]));
}

/** Numbers that are not given count as 0. */
export function isAtLeast(version: Version, wanted: Version): boolean {
  for (let position = 0; position < Math.max(version.length, wanted.length); position++) {
    const difference = (version[position] ?? 0) - (wanted[position] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export const formatVersion = (version: Version): string => version.join(".");
