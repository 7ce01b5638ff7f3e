import type { SeedFiles } from "../../hypervisors/hypervisor";
import type { SeedInputs } from "../../model/resource-types";

const REFERENCE = /\$\{secret(-base64)?:([^}]*)\}/g;

/** Names of the secrets that a seed's texts refer to. */
export function referredSecrets(seed: SeedInputs): readonly string[] {
  const texts = [seed.userData, seed.metaData, seed.networkConfig];
  return [...new Set(texts.flatMap((text) => [...text.matchAll(REFERENCE)].map((match) => match[2] as string)))];
}

/**
 * The seed with every reference replaced by its secret.
 * @throws Error that names the secret, never its value, when it is unknown or does not fit where it stands
 */
export function fillSecrets(seed: SeedInputs, secrets: Readonly<Record<string, string>>): SeedFiles {
  const fill = (text: string): string =>
    text.replace(REFERENCE, (_reference, base64: string | undefined, name: string) => {
      const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (value === undefined) throw new Error(`the seed refers to the secret "${name}", which is not there`);
      if (base64) return Buffer.from(value).toString("base64");
      // Beyond one line it would leave its place in the YAML around it.
      if (/[\r\n]/.test(value)) throw new Error(`the secret "${name}" has several lines: use secret-base64`);
      return value;
    });
  return {
    userData: fill(seed.userData),
    metaData: fill(seed.metaData),
    networkConfig: fill(seed.networkConfig),
  };
}
