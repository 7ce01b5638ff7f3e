// Skips that are allowed with `CI=true`. Every other skip fails the run there, so that a tier that tests nothing does not
// count as passed. The reason is the text that the test gives for its skip.

/**
 * Only for the tier `contract`. A run of all tiers by a user other than root fails, because the real tiers also skip.
 */
const needsRoot =
  /^(?:needs root(?: for (?:mount|network) namespaces)?|(?:network namespaces|system containers) need root)$/;

/** @type {readonly { tiers: readonly string[], reason: RegExp, because: string }[]} */
module.exports = [
  {
    tiers: ["contract", "virtualbox", "qemu"],
    reason: /^this driver (?:cannot pull cables|has no hard kill)$/,
    because: "the suite of all drivers also covers optional features, which a driver may lack",
  },
  {
    tiers: ["virtualbox"],
    reason: /^this driver cannot exchange system disks$/,
    because: "VirtualBox is the only driver without this feature",
  },
  {
    tiers: ["contract"],
    reason: needsRoot,
    because:
      "hosted runners run this tier as an ordinary user; `.ci/run` runs it as root, where nothing skips for this",
  },
  {
    tiers: ["contract"],
    reason: /^users of this host have no user namespaces$/,
    because: "a hardened kernel may give none to ordinary users",
  },
  {
    tiers: ["contract"],
    reason: /^no Chromium on this host$/,
    because: "a distribution may have none; `.ci/run` installs it where it can",
  },
  {
    tiers: ["engine"],
    reason: /^the official part is used, which does not promise this$/,
    because: "the tests of the stand-ins run against the official parts where those can be had",
  },
  {
    tiers: ["topologies"],
    reason: /^there is no source for cri-dockerd$/,
    because:
      "a host that reaches neither its project nor a Go module proxy needs a bundle with it, or the file of its release",
  },
  {
    tiers: ["docs", "topologies"],
    reason: /^the history does not reach back to/,
    because:
      "a shallow clone has neither the commits whose subjects are checked nor the one whose stack is taken over; recorded stacks are",
  },
  {
    tiers: ["virtualbox"],
    reason: /^recorded on \S+, this is \S+$/,
    because:
      "Debian sid moves on; every other test of the tier runs on the new version, transcripts are recorded by hand",
  },
  {
    tiers: ["virtualbox"],
    reason: /^VirtualBox's kernel module is loaded here$/,
    because: "the finding about a missing module cannot be tested there; its rule has unit tests",
  },
];
