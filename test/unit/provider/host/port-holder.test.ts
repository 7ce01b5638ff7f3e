import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListeners } from "../../../../provider/host/port-holder";

test("who listens on a port of the loopback or of all addresses is found", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 0200007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
   3: 0100007F:192B 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4714 1 0
`;
  assert.deepEqual(parseListeners(table, 6443), ["4711", "4712"]);
  assert.deepEqual(parseListeners(table, 22), []);
});
