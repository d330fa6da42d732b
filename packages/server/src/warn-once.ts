const warned = new Set<string>();

/** Tells the operator, once per process: a warning of the process with the name `SocketClusterWarning`. */
export function warnOnce(text: string): void {
  if (warned.has(text)) return;
  warned.add(text);
  process.emitWarning(text, 'SocketClusterWarning');
}
