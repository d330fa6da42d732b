/** Tells the operator: a warning of the process with the name `SocketClusterWarning`. */
export function warn(text: string): void {
  process.emitWarning(text, 'SocketClusterWarning');
}

const warned = new Set<string>();

/** As `warn()`, each text once per process. */
export function warnOnce(text: string): void {
  if (warned.has(text)) return;
  warned.add(text);
  warn(text);
}
