import type { ConnectConfig } from "ssh2";

/**
 * Options that make an SSH client accept exactly one host key. Only that key's type is negotiated, because a host with
 * several keys could otherwise choose an unknown one.
 *
 * @param hostKey `ssh-ed25519 AAAA…`
 * @throws Error if the key does not have that form
 */
export function pinHostKey(hostKey: string): Pick<ConnectConfig, "algorithms" | "hostVerifier"> {
  const [type, base64] = hostKey.trim().split(/\s+/);
  if (!type || !base64) throw new Error("hostKey must be of the form TYPE BASE64");
  const expected = Buffer.from(base64, "base64");
  const signatures = type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
  return {
    algorithms: { serverHostKey: signatures } as ConnectConfig["algorithms"],
    hostVerifier: (presented: Buffer) => presented.equals(expected),
  };
}
