import { readFileSync } from 'node:fs';
import type { ApiErrorBody } from '../../core/contract/control-api.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { isErrorCode } from '../../core/errors/catalogue.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { exchange, NoAnswer } from './exchange.ts';

export type Endpoint = { readonly method: 'GET' | 'POST'; readonly path: string };

/**
 * One call of the control API over the Unix socket. The token is read anew for each, since a restarted daemon makes a new one.
 * Throws GK_DAEMON_NOT_RUNNING when nobody listens, else the error that the daemon named.
 */
export async function requestControl<Answer>(
  layout: HomeLayout,
  endpoint: Endpoint,
  input: { id?: string; body?: unknown } = {},
): Promise<Answer> {
  const token = readToken(layout);
  const path = endpoint.path.replace(':id', encodeURIComponent(input.id ?? ''));
  const payload = input.body === undefined ? undefined : JSON.stringify(input.body);
  const request = { method: endpoint.method, path, token, payload };
  const { status, text } = await exchange(layout.controlSocket, request, ANSWER_TIMEOUT_MS).catch((error: unknown) => {
    throw connectionError(error, layout.controlSocket);
  });
  const answer = parseAnswer(text, layout);
  if (status >= 200 && status < 300) return answer as Answer;
  throw errorOf(answer, layout);
}

function readToken(layout: HomeLayout): string {
  try {
    return readFileSync(layout.controlToken, 'utf8').trim();
  } catch (error) {
    throw connectionError(error, layout.controlToken);
  }
}

function parseAnswer(text: string, layout: HomeLayout): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw new GatekeeperError('GK_DAEMON_ANSWER', { where: layout.controlSocket, cause });
  }
}

function errorOf(answer: unknown, layout: HomeLayout): GatekeeperError {
  const error = (answer as Partial<ApiErrorBody>).error;
  if (typeof error?.message !== 'string')
    return new GatekeeperError('GK_DAEMON_ANSWER', { where: layout.controlSocket });
  const code = isErrorCode(error.code) ? error.code : 'GK_INTERNAL';
  return new GatekeeperError(code, {
    what: error.message,
    ...(error.where === undefined ? {} : { where: error.where }),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  });
}

/** ENOENT and ECONNREFUSED (a socket that its daemon left behind) mean that no daemon runs; a refusal is something else. */
function connectionError(error: unknown, where: string): GatekeeperError {
  if (error instanceof NoAnswer)
    return new GatekeeperError('GK_DAEMON_ANSWER', { what: error.message, where, cause: error });
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED')
    return new GatekeeperError('GK_DAEMON_NOT_RUNNING', { where, cause: error });
  if (code === 'EACCES' || code === 'EPERM') return new GatekeeperError('GK_CONTROL_REFUSED', { where, cause: error });
  return new GatekeeperError('GK_DAEMON_ANSWER', {
    what: `the daemon broke off: ${(error as Error).message}`,
    where,
    cause: error,
  });
}

const ANSWER_TIMEOUT_MS = 30_000;
