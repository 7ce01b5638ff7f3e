/** What the root tree is made of. Plain data that recipes and the configuration share; it imports nothing. */
export const distributions = ["debian", "ubuntu"] as const;

export type DistributionName = (typeof distributions)[number];
