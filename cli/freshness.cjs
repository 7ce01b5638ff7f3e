// What `npm start` compares: the bundles that build.cjs always writes, and everything that they are made of.

/** In `dist`. Not the program: it compares its own sources. */
const bundles = [
  ...["cli", "image-builder", "provider", "language-host", "command-plugin"],
  ...["client", "qemu-switch", "view-page"],
];

/** In the root of the project. */
const sources = [
  ...["model", "host", "stacks", "cloud-init", "components", "hypervisors", "guests", "provider", "image"],
  ...["verify", "explain", "backup", "review", "view", "cli", "toolchain"],
  "build.cjs",
  "package-lock.json",
];

module.exports = { bundles, sources };
