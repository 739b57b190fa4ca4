import { visible } from '../text/visible.ts';
import { GatekeeperError } from './gatekeeper-error.ts';

/** The one line a user sees, without a newline. What the error quotes may come from an agent: it is made visible. */
export function errorLine(error: unknown): string {
  const { what, where, remedy } = asGatekeeperError(error);
  return `gatekeeper: ${visible(what)}${where ? ` (${visible(where)})` : ''}; ${visible(remedy)}`;
}

/** Anything thrown, as an error of the catalogue. */
export function asGatekeeperError(error: unknown): GatekeeperError {
  if (error instanceof GatekeeperError) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new GatekeeperError('GK_INTERNAL', { what: what || 'unknown failure', cause: error });
}
