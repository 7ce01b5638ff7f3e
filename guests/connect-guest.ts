import { connectFakeGuest, isFakeGuest } from "./fake-guest";
import type { ConnectGuest } from "./guest";
import { connectSshGuest } from "./ssh-guest";

/** The port of the gateway identifies guests of the fake driver; all other guests are reached over SSH. */
export const connectAnyGuest: ConnectGuest = async (connection, options) =>
  (await isFakeGuest(connection)) ? connectFakeGuest(connection, options) : connectSshGuest(connection, options);
