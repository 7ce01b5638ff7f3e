import recorded from "./pinned-downloads.json";

/**
 * sha256 of programs that are downloaded ready to run, by `PROJECT VERSION FILE`, in lower-case hex. What has no digest here is
 * not downloaded but built from Go modules, whose checksums are committed. `npx tsx test/support/record-digests.ts` records the
 * digests of the present releases on a machine that reaches their servers.
 */
export type PinnedDigests = Readonly<Record<string, string>>;

export const pinnedDigests: PinnedDigests = recorded;

export const downloadKey = (project: string, version: string, file: string): string => `${project} ${version} ${file}`;

/** Set to 1, it accepts a file without a pinned digest when it has the checksum that its own server publishes. */
export const unpinnedVariable = "GROUNDPLANE_UNPINNED_DOWNLOADS";

export const acceptsUnpinned = (env: Readonly<Record<string, string | undefined>>): boolean =>
  env[unpinnedVariable] === "1";

export const unpinnedHint = `${unpinnedVariable}=1 accepts the checksum that its server publishes`;
