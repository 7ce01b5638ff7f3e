import type { SeedFiles } from "../../hypervisors/hypervisor";
import type { SeedInputs } from "../../model/resource-types";

const REFERENCE = /\$\{secret(-base64)?:([^}]*)\}/g;

/** Names of the secrets that a seed references. */
export function referredSecrets(seed: SeedInputs): readonly string[] {
  const texts = [seed.userData, seed.metaData, seed.networkConfig];
  return [...new Set(texts.flatMap((text) => [...text.matchAll(REFERENCE)].map((match) => match[2] as string)))];
}

/**
 * Replaces every reference in the seed with its secret.
 * @throws Error with the name of the secret, never its value, when it is unknown or unsuitable at its place
 */
export function fillSecrets(seed: SeedInputs, secrets: Readonly<Record<string, string>>): SeedFiles {
  const fill = (text: string): string =>
    text.replace(REFERENCE, (_reference, base64: string | undefined, name: string) => {
      const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (value === undefined) throw new Error(`the seed refers to the unknown secret "${name}"`);
      if (base64) return Buffer.from(value).toString("base64");
      // A second line would break out of the surrounding YAML.
      if (/[\r\n]/.test(value)) throw new Error(`the secret "${name}" has several lines: use secret-base64`);
      return value;
    });
  return {
    userData: fill(seed.userData),
    metaData: fill(seed.metaData),
    networkConfig: fill(seed.networkConfig),
  };
}
