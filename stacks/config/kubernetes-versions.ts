/** Versions that an image recipe exists for, newest first; the first one is the default. */
export const supportedKubernetesVersions = ["1.36.3"] as const;

export const defaultKubernetesVersion = supportedKubernetesVersions[0];
