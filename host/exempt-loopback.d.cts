export function exemptLoopback(environment?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
