/** One thing that was looked at. A check that fails says what mends it. */
export type Check = {
  layer: 'system' | 'kernel' | 'files' | 'run';
  name: string;
  ok: boolean;
  /** What was found. */
  detail: string;
  remedy?: string;
};

export function check(layer: Check['layer'], name: string, ok: boolean, detail: string, remedy: string): Check {
  return ok ? { layer, name, ok, detail } : { layer, name, ok, detail, remedy };
}
