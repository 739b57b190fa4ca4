import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Decision } from '../../src/core/engine/precedence.ts';
import { EFFECT, SOURCE } from '../../src/core/wire/messages.ts';
import { commandTexts, type WrittenRequest } from './policy.ts';

/** The decisions of the supervisor's own code. Builds what it needs of it into a directory of its own. */
export class DecideTool {
  readonly #directory = mkdtempSync(join(tmpdir(), 'gk-decide-'));

  constructor() {
    const tool = `${this.#directory}/test/decide_tool`;
    const settings = [`BUILD=${this.#directory}`, 'ROOMS=base wire image'];
    execFileSync('make', ['-C', 'native-hooks', '--no-print-directory', ...settings, tool], { stdio: 'pipe' });
  }

  /** Answers to lines of the tool's protocol. @throws when the image is refused */
  ask(image: Uint8Array, lines: readonly string[]): string[] {
    const file = `${this.#directory}/policy.gkimg`;
    writeFileSync(file, image);
    const input = `${lines.join('\n')}\n`;
    const options = { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'] };
    const output = execFileSync(`${this.#directory}/test/decide_tool`, [file], options).toString();
    return output.split('\n').filter((line) => line !== '');
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export const hex = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('hex') || '-';

/** The request in the tool's protocol; null for one about a host name or an HTTP request, which only the daemon knows. */
export function requestLine(request: WrittenRequest): string | null {
  if (request.command) {
    const { base, path } = commandTexts(request.command);
    return `command ${request.writable ? 1 : 0} ${hex(base)} ${hex(path)}`;
  }
  if (request.path !== undefined) return `path ${request.action} ${hex(request.path)}`;
  if (request.method !== undefined) return null;
  return request.name === undefined && request.address ? `address ${request.address} ${request.port}` : null;
}

export function answerLine({ effect, source, rule, pierced, log, hide }: Decision): string {
  return `${EFFECT[effect]} ${SOURCE[source]} ${rule ?? -1} ${pierced ?? -1} ${log ? 1 : 0} ${hide ? 1 : 0}`;
}
