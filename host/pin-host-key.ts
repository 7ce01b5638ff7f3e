import type { ConnectConfig } from "ssh2";

/**
 * What makes a client accept one host key alone. Only that key's type is negotiated: a host with several keys would
 * otherwise choose one we do not know.
 *
 * @param hostKey `ssh-ed25519 AAAA…`
 * @throws Error when it is not of that form
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
