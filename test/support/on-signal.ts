/** Actions before a signal ends a test file. node:test runs no hooks on a signal, so machines would keep running. */
const actions: (() => void | Promise<void>)[] = [];
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
let isEnding = false;

/**
 * Runs the action when a signal ends the process. The last registered action runs first.
 * @returns a function that removes the action
 */
export function onSignal(action: () => void | Promise<void>): () => void {
  if (actions.length === 0) for (const signal of Object.keys(exitCodes)) process.on(signal, end);
  actions.push(action);
  return () => {
    const index = actions.indexOf(action);
    if (index >= 0) actions.splice(index, 1);
    if (actions.length === 0) for (const signal of Object.keys(exitCodes)) process.off(signal, end);
  };
}

async function end(signal: keyof typeof exitCodes): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  process.stderr.write(`${signal}: cleaning up\n`);
  for (const action of [...actions].reverse()) {
    try {
      await action();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    }
  }
  process.exit(exitCodes[signal]);
}
