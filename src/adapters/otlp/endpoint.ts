import { readFileSync } from 'node:fs';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

/** Where logs are sent, and what goes along with each request. Header values may be secrets: they are never shown. */
export type OtlpEndpoint = { url: URL; headers: Record<string, string>; timeoutMs: number };

export type EndpointChoice = {
  to?: string | undefined;
  /** `NAME=VALUE` */
  headers?: readonly string[] | undefined;
  /** Lines of the same form, or `NAME: VALUE`. */
  headerFile?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
};

/**
 * What the command line says, else the variables of OpenTelemetry ("OpenTelemetry Protocol Exporter"); undefined when neither names a place. An address without a path is that
 * of a collector, whose logs go to /v1/logs. @throws GatekeeperError (GK_USAGE)
 */
export function otlpEndpoint({ to, headers = [], headerFile, env }: EndpointChoice): OtlpEndpoint | undefined {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined;
  const text = to ?? (env['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'] || (base && `${base.replace(/\/+$/, '')}/v1/logs`));
  if (!text) return undefined;
  const url = readUrl(text);
  if (to !== undefined && url.pathname === '/') url.pathname = '/v1/logs';
  const given = [
    ...listed(env['OTEL_EXPORTER_OTLP_HEADERS']),
    ...listed(env['OTEL_EXPORTER_OTLP_LOGS_HEADERS']),
    ...(headerFile === undefined ? [] : linesOf(headerFile)),
    ...headers.map((header) => pair(header, '=')),
  ];
  const timeout = Number(env['OTEL_EXPORTER_OTLP_LOGS_TIMEOUT'] ?? env['OTEL_EXPORTER_OTLP_TIMEOUT']);
  return { url, headers: Object.fromEntries(given), timeoutMs: timeout > 0 ? timeout : TIMEOUT_MS };
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw usage('the address to send to is no http or https URL', 'write it as in: --to http://127.0.0.1:4318');
  if (url.username || url.password)
    throw usage('the address to send to holds a user or password', 'put it into a header: --header-file FILE');
  return url;
}

/** `a=b,c=d`, each value with percent escapes. */
function listed(text: string | undefined): [string, string][] {
  const parts = (text ?? '').split(',').filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const [name, value] = pair(part, '=');
    try {
      return [name, decodeURIComponent(value)];
    } catch {
      throw usage(`the variable for headers has a broken escape in ${name}`, 'write % as %25');
    }
  });
}

function linesOf(file: string): [string, string][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GatekeeperError('GK_USAGE', { what: 'the file of headers cannot be read', where: file, cause });
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => pair(line, /[=:]/));
}

/** The value is not told where it is broken: it may be a secret. */
function pair(text: string, separator: string | RegExp): [string, string] {
  const at = text.search(separator === '=' ? /=/ : separator);
  const name = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  if (at < 1 || !TOKEN.test(name) || !FIELD_VALUE.test(value))
    throw usage('a header is not understood', 'write it as in: --header x-api-key=VALUE');
  return [name.toLowerCase(), value];
}

function usage(what: string, remedy: string): GatekeeperError {
  return new GatekeeperError('GK_USAGE', { what, remedy });
}

/** RFC 9110, 5.6.2 and 5.5 */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TIMEOUT_MS = 10_000;
