/**
 * Everything that is downloaded, and what says that it is the right content. test/unit/model/downloads.test.ts finds each place
 * that downloads, and refuses one without a row.
 */
export interface Download {
  readonly what: string;
  /** The source files that download it. */
  readonly by: readonly string[];
  /**
   * `content`: a digest in this repository. `signature`: the archive's key, so its owner decides what is current; DECISIONS.md
   * says why.
   */
  readonly pin: "content" | "signature";
  /** Where the digests or the keys are. */
  readonly where: readonly string[];
}

const table = "model/pinned-downloads.json";

export const downloads: readonly Download[] = [
  {
    what: "npm packages, also Pulumi's SDK",
    by: ["cli/start.cjs", "toolchain/language-host/language-runtime.ts"],
    pin: "content",
    where: ["package-lock.json"],
  },
  { what: "Go, where the host has none", by: ["toolchain/obtain-go.ts"], pin: "content", where: [table] },
  { what: "official Pulumi", by: ["toolchain/download-pulumi.ts"], pin: "content", where: [table] },
  { what: "official command plugin", by: ["toolchain/install-command-plugin.ts"], pin: "content", where: [table] },
  {
    what: "Go modules of Pulumi",
    by: ["toolchain/build-pulumi.ts"],
    pin: "content",
    where: ["toolchain/pulumi-cli/go.sum"],
  },
  {
    what: "official programs of nodes",
    by: ["image/parts/upstream-source.ts", "image/parts/registry-image.ts"],
    pin: "content",
    where: [table],
  },
  {
    what: "Go modules of the programs of nodes",
    by: ["image/parts/program-source.ts", "image/parts/go-toolchain.ts"],
    pin: "content",
    where: ["image/parts/source"],
  },
  {
    what: "libseccomp, linked into runc",
    by: ["image/parts/seccomp-library.ts"],
    pin: "content",
    where: ["image/parts/seccomp-library.ts"],
  },
  {
    what: "Debian or Ubuntu packages of images",
    by: ["image/build/root-tree.ts", "image/scripts/install-disk-packages.sh"],
    pin: "signature",
    where: ["image/recipes/archives.ts"],
  },
  {
    what: "lists of packages for a package lock, and the packages in it, whose digests it has",
    by: ["image/packages/fetch-packages.ts", "image/packages/private-apt.ts", "image/packages/resolve-lock.ts"],
    pin: "signature",
    where: ["image/recipes/archives.ts"],
  },
  { what: "packages of the host", by: ["host/host-packages.ts"], pin: "signature", where: [] },
];
