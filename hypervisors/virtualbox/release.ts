/** A version of VirtualBox. */
export interface Release {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** `7.2.22_Debianr175245`, Oracle's `7.2.22r175245`, also behind a warning of Debian's script around it. */
export function parseRelease(text: string): Release | undefined {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/m.exec(text) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Is it this release or a later one? */
export function isFrom(release: Release, major: number, minor: number, patch = 0): boolean {
  const [mine, other] = [release, { major, minor, patch }].map(
    (each) => (each.major * 1e3 + each.minor) * 1e3 + each.patch,
  );
  return (mine as number) >= (other as number);
}
