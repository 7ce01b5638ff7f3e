import { X509Certificate } from "node:crypto";
import type { ConnectGuest, GuestFile } from "../../guests/guest";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import { overdueDays } from "../../model/health-check";
import type { NodeFilesInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { bootedGuest, inGuest, progress, reasonOf } from "./guest-waiting";

/** A node renews its certificates by a timer. Where that has failed, e.g. because the host was off for long, `up` renews them. */

const DAY_MS = 86_400_000;
/** As long as the timer's unit may take. */
const RENEWAL_MS = 480_000;

const renewal = guestCommand("renew-certificates");

/** Those in kubeconfigs are renewed together with them. */
const certificates: readonly string[] = [
  ...["apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "front-proxy-client"].map(
    (name) => `${guestPaths.pki}/${name}.crt`,
  ),
  ...["server", "peer", "healthcheck-client"].map((name) => `${guestPaths.etcdPki}/${name}.crt`),
];

/** The files to read from the node; empty for a node that renews none. */
export const renewedCertificates = ({ files }: NodeFilesInputs): readonly string[] =>
  files.some(({ path }) => path === renewal) ? certificates : [];

/** The paths of those that the node should have renewed. What is absent or no certificate is not renewed either. */
export function overdueCertificates(files: readonly (GuestFile | undefined)[], nowMs = Date.now()): readonly string[] {
  return files.flatMap((file) => {
    const endMs = file === undefined ? Number.NaN : endOf(file.content);
    return file !== undefined && endMs - nowMs < overdueDays * DAY_MS ? [file.path] : [];
  });
}

function endOf(pem: string): number {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return Number.NaN;
  }
}

/** Of a node whose files a read has found to be overdue. The files of the next node wait for it. */
export async function renewOverdue(
  connect: ConnectGuest,
  { node, connection }: NodeFilesInputs,
  overdue: readonly string[],
  preview: boolean,
  context: Context,
): Promise<void> {
  const names = overdue.join(", ");
  if (preview) return context.log("info", `${node} renews its certificates: ${names} should have been renewed already`);
  progress(context, node)(`renewing ${names}`);
  const options = { signal: context.signal, timeoutMs: RENEWAL_MS };
  const connectNode = () => bootedGuest(connect, connection, node, context);
  const result = await inGuest(connectNode, (guest) => guest.run([renewal], options));
  if (result.code === 0) return;
  throw new UserError(
    "certificates-overdue",
    `${node} could not renew its certificates: ${reasonOf(result)}`,
    `see \`npx groundplane logs ${node}\`, correct the cause and run \`up\` again`,
  );
}
