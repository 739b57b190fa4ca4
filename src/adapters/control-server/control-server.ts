import { createHash, timingSafeEqual } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import {
  API,
  type ApiErrorBody,
  type CreateRunRequest,
  type CreateRunResponse,
  type DaemonStatus,
  type GiveSecretsRequest,
  type ListRunsResponse,
  type RotateKeyResponse,
} from '../../core/contract/control-api.ts';
import { asGatekeeperError } from '../../core/errors/error-line.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { CREATE_RUN_SCHEMA, GIVE_SECRETS_SCHEMA, NO_BODY_SCHEMA, RUN_ID_SCHEMA } from './schemas.ts';

export type ControlHandlers = {
  status: () => DaemonStatus;
  shutdown: () => void;
  createRun: (request: CreateRunRequest) => Promise<CreateRunResponse>;
  giveSecrets: (id: string, request: GiveSecretsRequest) => void;
  listRuns: () => ListRunsResponse;
  killRun: (idOrName: string) => Promise<void>;
  rotateKey: () => Promise<RotateKeyResponse>;
};

export type ControlServer = { close: () => Promise<void> };

/** Serves the control API on a Unix socket (0600). Everything needs the token, which no run can read. */
export async function startControlServer(
  socketPath: string,
  token: string,
  handlers: ControlHandlers,
): Promise<ControlServer> {
  const app = controlApp(token, handlers);
  rmSync(socketPath, { force: true });
  await app.listen({ path: socketPath });
  chmodSync(socketPath, 0o600);
  return { close: () => app.close() };
}

/** The application without its socket. */
export function controlApp(token: string, handlers: ControlHandlers): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 10_000,
    connectionTimeout: 60_000,
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Ajv's defaults mend a body until it fits; a request that does not fit is refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
  });
  app.addHook('onRequest', async (request) => {
    if (!isBearer(request.headers.authorization, token)) throw new GatekeeperError('GK_CONTROL_REFUSED');
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const known = toGatekeeperError(error);
    return reply.code(known.httpStatus).send(errorBody(known));
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new GatekeeperError('GK_REQUEST', { what: `there is no ${request.method} ${request.url}` });
    return reply.code(404).send(errorBody(error));
  });
  addRoutes(app, handlers);
  return app;
}

function addRoutes(app: FastifyInstance, handlers: ControlHandlers): void {
  app.get(API.status.path, () => handlers.status());
  app.get(API.listRuns.path, () => handlers.listRuns());
  app.post(API.shutdown.path, { schema: { body: NO_BODY_SCHEMA } }, async () => {
    handlers.shutdown();
    return {};
  });
  app.post<{ Body: CreateRunRequest }>(API.createRun.path, { schema: { body: CREATE_RUN_SCHEMA } }, (request) =>
    handlers.createRun(request.body),
  );
  app.post<{ Params: { id: string }; Body: GiveSecretsRequest }>(
    API.giveSecrets.path,
    { schema: { body: GIVE_SECRETS_SCHEMA, params: RUN_ID_SCHEMA } },
    async (request) => {
      handlers.giveSecrets(request.params.id, request.body);
      return {};
    },
  );
  app.post(API.rotateKey.path, { schema: { body: NO_BODY_SCHEMA } }, () => handlers.rotateKey());
  app.post<{ Params: { id: string } }>(
    API.killRun.path,
    { schema: { body: NO_BODY_SCHEMA, params: RUN_ID_SCHEMA } },
    async (request) => {
      await handlers.killRun(request.params.id);
      return {};
    },
  );
}

/** Compares digests, so that neither content nor length of the token shows in the time that it takes. */
export function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function toGatekeeperError(error: FastifyError | Error): GatekeeperError {
  if (error instanceof GatekeeperError) return error;
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status !== undefined && status >= 400 && status < 500) {
    return new GatekeeperError('GK_REQUEST', { what: error.message });
  }
  return asGatekeeperError(error);
}

function errorBody({ code, what, where, remedy }: GatekeeperError): ApiErrorBody {
  return { error: { code, message: what, ...(where === '' ? {} : { where }), remedy } };
}

const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
