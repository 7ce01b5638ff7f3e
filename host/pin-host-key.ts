import type { ConnectConfig } from "ssh2";

/**
 * Options that make an SSH client accept the given host keys only. Only their types are negotiated, because a host with
 * several keys could otherwise choose an unknown one.
 *
 * @param hostKey `ssh-ed25519 AAAA…`
 * @param others of the same form
 * @param onRefused gets a key that is none of them
 * @throws Error if a key does not have that form
 */
export function pinHostKey(
  hostKey: string,
  others: readonly string[] = [],
  onRefused: (presented: Buffer) => void = () => {},
): Pick<ConnectConfig, "algorithms" | "hostVerifier"> {
  const keys = [hostKey, ...others].map(parsed);
  return {
    algorithms: {
      serverHostKey: [...new Set(keys.flatMap(({ signatures }) => signatures))],
    } as ConnectConfig["algorithms"],
    hostVerifier: (presented: Buffer) => {
      const isKnown = keys.some(({ bytes }) => presented.equals(bytes));
      if (!isKnown) onRefused(presented);
      return isKnown;
    },
  };
}

function parsed(hostKey: string) {
  const [type, base64] = hostKey.trim().split(/\s+/);
  if (!type || !base64) throw new Error("hostKey must be of the form TYPE BASE64");
  const signatures = type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
  return { bytes: Buffer.from(base64, "base64"), signatures };
}
