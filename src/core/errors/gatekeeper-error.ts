import { ERRORS, type ErrorCode } from './catalogue.ts';

/** An error for a user: what went wrong, where, and the command that mends it. Its code decides exit and HTTP status. */
export class GatekeeperError extends Error {
  override readonly name = 'GatekeeperError';
  readonly code: ErrorCode;
  /** The title of the code unless something more exact was given. */
  readonly what: string;
  /** File with line and column, address, run …; empty when there is no place. */
  readonly where: string;
  readonly remedy: string;

  constructor(code: ErrorCode, detail: { what?: string; where?: string; remedy?: string; cause?: unknown } = {}) {
    const entry = ERRORS[code];
    const what = detail.what ?? entry.title;
    super(what, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.what = what;
    this.where = detail.where ?? '';
    this.remedy = detail.remedy ?? entry.remedy;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  get httpStatus(): number {
    return ERRORS[this.code].http;
  }
}
