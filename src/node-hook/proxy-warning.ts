/**
 * Node 22 warns at each start that its proxy support is experimental, because a run's environment asks for it; whoever reads standard error would
 * take it for the program's. The warning comes in the first turn, before anything else does.
 */
export function silenceProxyWarning(): void {
  const due = process.version.startsWith('v22.') && process.env['NODE_USE_ENV_PROXY'] !== undefined;
  if (!due || Object.hasOwn(process, 'emit')) return;
  const own = process.emit;
  const withoutIt = function emit(this: NodeJS.Process, ...words: unknown[]): boolean {
    const [name, value] = words;
    if (name === 'warning' && (value as { code?: unknown } | undefined)?.code === 'UNDICI-EHPA') return true;
    return Reflect.apply(own, this, words);
  } as typeof own;
  Object.defineProperty(process, 'emit', { value: withoutIt, configurable: true, writable: true, enumerable: false });
  setImmediate(() => {
    // Others put theirs around it in the meantime: then it stays beneath.
    if (process.emit === withoutIt) delete (process as { emit?: unknown }).emit;
  }).unref();
}
