// Skips that are no failure where `CI=true`. Every other skip there fails the run: a tier that quietly tests nothing
// must not look like one that passed. The reason is what the test says when it skips.

/** @type {readonly { tiers: readonly string[], reason: RegExp, because: string }[]} */
module.exports = [
  {
    tiers: ["contract", "virtualbox", "qemu"],
    reason: /^this driver (?:cannot pull cables|has no CPU weights|has no hard kill)$/,
    because: "the suite of all drivers also covers optional features, which a driver may lack",
  },
];
