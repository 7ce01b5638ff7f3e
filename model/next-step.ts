/** The stack of a command without `--stack`. */
export const defaultStack = "lab";

const stackCommands =
  "env|image (?:build|update|list|push)|bundle create|start|stop|destroy|status|view|fence|backup(?: (?:list|fetch))?|snapshot (?:create|list|restore|delete)|restore|logs|ssh|kubeconfig|verify|preview|explain|render|diagram|doctor|report";

/** A command of a stack in a text, without `--stack` after it. */
const stackless = new RegExp(`(?<=\`|npx )groundplane (?:${stackCommands})\\b(?![^\`;\\n]*--stack)`, "g");
const stacklessStart = /`npm start`/g;

/**
 * Names the stack in the commands of a message. Most messages are written where the stack is not known; followed literally, they
 * would act on the default stack.
 */
export const forStack = (text: string, stack: string): string =>
  stack === defaultStack
    ? text
    : text
        .replaceAll(stackless, (command) => `${command} --stack ${stack}`)
        .replaceAll(stacklessStart, `\`npm start -- --stack ${stack}\``);
