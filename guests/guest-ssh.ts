import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../model/ports";
import { type RunOptions, type RunResult, SshConnection, UnreachableError } from "./ssh-connection";

export { LateError, type RunOptions, type RunResult, UnreachableError } from "./ssh-connection";

/** A guest behind its stack's gateway, reached through the gateway's port on 127.0.0.1 with pinned host keys. */
export interface GuestAddress {
  readonly bastionPort: number;
  readonly bastionHostKey: string;
  /** The node's address; `10.0.2.15` or the gateway's own host key means the gateway itself. */
  readonly address: string;
  readonly hostKey: string;
  /** Accepted beside them. */
  readonly formerBastionHostKeys?: readonly string[];
  readonly formerHostKeys?: readonly string[];
  /** OpenSSH private key. Secret. */
  readonly privateKey: string;
  /** Tried after it. */
  readonly formerKeys?: readonly string[];
}

export interface ConnectOptions {
  /** How long to retry while the guest is unreachable; 0 = one attempt. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Called before each retry with the reason of the last failure. */
  readonly onWaiting?: (reason: string) => void;
}

const RETRY_MS = { first: 200, factor: 1.4, most: 2_000 };

/** Open connections of this process: one per gateway and one per node, opened on first use. */
const pool = new Map<string, Promise<SshConnection>>();

/** Runs a script in a guest as root; waits for the guest like `connectGuest`. Never prints a key. */
export async function runInGuest(
  guest: GuestAddress,
  script: string,
  options: RunOptions & ConnectOptions = {},
): Promise<RunResult> {
  const connection = await connectGuest(guest, options);
  return connection.run(script, options);
}

/** A connection to the guest, kept open and shared by all callers for the same guest. */
export function connectGuest(guest: GuestAddress, options: ConnectOptions = {}): Promise<SshConnection> {
  return untilReachable(() => pooledGuest(guest, options.signal), options);
}

/** Retries an attempt that fails with an `UnreachableError`, within the limits of the options. */
export async function untilReachable<T>(attempt: () => Promise<T>, options: ConnectOptions): Promise<T> {
  const end = Date.now() + (options.deadlineMs ?? 0);
  for (let wait = RETRY_MS.first; ; wait = Math.min(wait * RETRY_MS.factor, RETRY_MS.most)) {
    try {
      return await attempt();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof UnreachableError) || Date.now() + wait > end) throw error;
      options.onWaiting?.(error.message);
      await sleep(wait, undefined, { signal: options.signal });
    }
  }
}

/** Closes every connection, including those that are still opening, so that the process can end. */
export async function closeGuests(): Promise<void> {
  const all = [...pool.values()];
  pool.clear();
  for (const opening of all) {
    opening.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }
}

/**
 * Drops a guest's connections, so that the next use opens a new one: after its machine was stopped or recreated. With those of the
 * gateway, all that pass it are lost.
 */
export function forgetGuest(guest: GuestAddress): void {
  const start = isBastion(guest) ? guest.bastionPort : nodeKey(guest);
  for (const key of pool.keys()) if (key.startsWith(`${start} `)) pool.delete(key);
}

/** Contains all accepted keys, so that a caller that accepts the present key only gets a connection of its own. */
const bastionKey = ({ bastionPort, bastionHostKey, formerBastionHostKeys = [] }: GuestAddress): string =>
  [bastionPort, "bastion", bastionHostKey, ...formerBastionHostKeys].join(" ");
const guestKey = (guest: GuestAddress): string =>
  isBastion(guest)
    ? bastionKey(guest)
    : [nodeKey(guest), guest.hostKey, ...(guest.formerHostKeys ?? []), bastionKey(guest)].join(" ");
/** The common beginning of all keys of a node. */
const nodeKey = (guest: GuestAddress): string => `${guest.bastionPort} ${isBastion(guest) ? "bastion" : guest.address}`;
const isBastion = (guest: GuestAddress): boolean => guest.hostKey === guest.bastionHostKey;

function pooledBastion(guest: GuestAddress, signal: AbortSignal | undefined): Promise<SshConnection> {
  const { bastionPort: port, bastionHostKey: hostKey, privateKey, formerKeys } = guest;
  const { formerBastionHostKeys: formerHostKeys } = guest;
  const server = { host: "127.0.0.1", port, hostKey, formerHostKeys, privateKey, formerKeys };
  return pooled(bastionKey(guest), signal, () => SshConnection.open(server));
}

function pooledGuest(guest: GuestAddress, signal: AbortSignal | undefined): Promise<SshConnection> {
  if (isBastion(guest)) return pooledBastion(guest, signal);
  return pooled(guestKey(guest), signal, async () => {
    const bastion = await pooledBastion(guest, undefined);
    const through = await bastion.forward(guest.address, ports.ssh);
    const { address: host, hostKey, formerHostKeys, privateKey, formerKeys } = guest;
    return SshConnection.open({ host, port: ports.ssh, hostKey, formerHostKeys, privateKey, formerKeys, through });
  });
}

/** The attempt is shared and has its own time limits; an aborted caller only stops waiting. */
function pooled(
  key: string,
  signal: AbortSignal | undefined,
  open: () => Promise<SshConnection>,
): Promise<SshConnection> {
  const known = pool.get(key);
  if (known) return abortable(known, signal);
  const opening = open();
  pool.set(key, opening);
  const forget = (): void => {
    if (pool.get(key) === opening) pool.delete(key);
  };
  opening.then((connection) => connection.onClose(forget), forget);
  return abortable(opening, signal);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
