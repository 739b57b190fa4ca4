import type { ErrorCode } from '../../core/errors/catalogue.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

/** Why there is no policy, and the files whose change may mend it: as LoadedPolicy.files, as far as they are known. */
export class BrokenPolicy extends GatekeeperError {
  readonly files: readonly string[];

  constructor(
    code: ErrorCode,
    detail: { what: string; where: string; remedy: string; cause?: unknown },
    files: readonly string[],
  ) {
    super(code, detail);
    this.files = files;
  }
}
