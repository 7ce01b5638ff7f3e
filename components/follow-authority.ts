import type * as pulumi from "@pulumi/pulumi";
import { commandFile } from "../cloud-init/guest-command";
import { guestCommand } from "../model/guest-paths";
import type { Secrets } from "./secrets";

/** The command by which a node trusts the cluster's present authority only. Not all nodes have it among their files, so it comes with them. */
export function followAuthority(secrets: Pick<Secrets, "getPublic">) {
  const { path, mode, content } = commandFile("kubernetes/follow-authority");
  return {
    command: [guestCommand("follow-authority"), base64(secrets.getPublic("kubernetes-ca.crt"))],
    files: [{ path, mode, content }],
  };
}

/** As commands take a certificate. */
export const base64 = (value: pulumi.Output<string>): pulumi.Output<string> =>
  value.apply((text) => Buffer.from(text).toString("base64"));
