import type { GuestConnection } from "../model/resource-types";
import type { InventoryEntry, StackOutputs } from "../model/stack-outputs";
import { connectFakeGuest, isFakeGuest } from "./fake-guest";
import type { ConnectGuest } from "./guest";
import { connectSshGuest } from "./ssh-guest";

/** The port of the gateway identifies guests of the fake driver; all other guests are reached over SSH. */
export const connectAnyGuest: ConnectGuest = async (connection, options) =>
  (await isFakeGuest(connection)) ? connectFakeGuest(connection, options) : connectSshGuest(connection, options);

/** How the commands reach a node of a stack that is up. */
export const connectionOf = (
  { address, hostKey, formerHostKeys }: InventoryEntry,
  { gatewaySsh, sshPrivateKey, formerSshKeys }: StackOutputs,
): GuestConnection => ({
  bastionPort: gatewaySsh.port,
  bastionHostKey: gatewaySsh.hostKey,
  address,
  hostKey,
  ...(gatewaySsh.formerHostKeys && { formerBastionHostKeys: gatewaySsh.formerHostKeys }),
  ...(formerHostKeys && { formerHostKeys }),
  privateKey: sshPrivateKey,
  ...(formerSshKeys && { formerKeys: formerSshKeys }),
});
