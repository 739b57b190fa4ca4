import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { listSegments } from '../../../src/adapters/audit-log/segments.ts';
import { requestControl } from '../../../src/adapters/control-client/request.ts';
import { API, type DaemonStatus } from '../../../src/core/contract/control-api.ts';
import { DaemonFixture, until } from '../../support/daemon-fixture.ts';
import { FakeSupervisor } from '../../support/fake-supervisor.ts';
import { decisionFrame, runEndFrame, runStartFrame } from '../../support/journal-file.ts';

const running: DaemonFixture[] = [];
const SETTINGS = 'anchors: { journal: off }';
/** With settings of the log beside those that keep it to this test. */
async function daemon(settings = '', home?: string): Promise<DaemonFixture> {
  const fixture = new DaemonFixture(home);
  writeFileSync(fixture.layout.auditSettings, `version: 1\n${SETTINGS}\n${settings}\n`);
  running.push(await fixture.start());
  return fixture;
}
const homeOf = ({ layout }: DaemonFixture) => layout.state.replace(/\/state$/, '');
const status = ({ layout }: DaemonFixture) => requestControl<DaemonStatus>(layout, API.status);
const images = ({ layout }: DaemonFixture) => readdirSync(layout.images).filter((name) => name.endsWith('.gkimg'));

afterEach(async () => {
  for (const fixture of running.splice(0)) await fixture.stop();
});

/** A run with so many records that it is over then. */
async function run(fixture: DaemonFixture, records: number): Promise<void> {
  const created = await fixture.createRun();
  const supervisor = new FakeSupervisor(created.args);
  await supervisor.connect();
  await supervisor.next('WELCOME');
  const policy = Buffer.from(created.policyDigest.replace('sha256:', ''), 'hex');
  supervisor.journal((number) => runStartFrame(number, policy));
  for (let at = 0; at < records; at++)
    supervisor.journal((number) => decisionFrame(number, `/${created.id}/${at}`, 1, 0));
  supervisor.journal((number) => runEndFrame(number, 0));
  supervisor.send('ENDED', { STATUS: 0n });
  await until(() => !existsSync(`${fixture.layout.runs}/${created.id}`));
}

describe('the log that a daemon keeps', () => {
  test('loses its oldest files as the settings say, and images that no receipt names go with them', async () => {
    const fixture = await daemon('segments: { size: 4KiB }\nkeep: { size: 12KiB }');
    const unnamed = `${'0'.repeat(64)}.gkimg`;
    writeFileSync(`${fixture.layout.images}/${unnamed}`, 'of an earlier daemon');
    for (let round = 0; round < 4; round++) await run(fixture, 20);
    await until(() => !images(fixture).includes(unnamed));
    expect(images(fixture)).toHaveLength(1);
    expect(listSegments(fixture.layout.audit)[0]).toBeGreaterThan(1);
    expect(fixture.receipts('pruned').length).toBeGreaterThan(0);
    await fixture.stop();
    expect(await fixture.verify()).toMatchObject({ ok: true });
  });

  test('that was put back to an earlier state is recorded and told of, and goes on', async () => {
    const fixture = await daemon();
    const { audit } = fixture.layout;
    const kept = `${homeOf(fixture)}/kept`;
    await fixture.stop();
    mkdirSync(kept);
    for (const name of ['000001.jsonl', 'checkpoint']) copyFileSync(`${audit}/${name}`, `${kept}/${name}`);
    const again = await daemon('', homeOf(fixture));
    await run(again, 3);
    await again.stop();
    for (const name of ['000001.jsonl', 'checkpoint']) copyFileSync(`${kept}/${name}`, `${audit}/${name}`);
    const last = await daemon('', homeOf(fixture));
    await until(() => last.receipts('recovered').length > 0);
    expect(last.receipts('recovered')).toMatchObject([{ kind: 'rolled-back' }]);
    expect((await status(last)).auditFindings).toEqual([expect.stringMatching(/^rolled-back: file .*audit\.anchor/)]);
    expect(last.said.some((line) => line.includes('rolled-back'))).toBe(true);
    await run(last, 1);
  });

  test('does not begin anew under a key that has signed another one without saying so first', async () => {
    const fixture = await daemon();
    await fixture.stop();
    rmSync(fixture.layout.audit, { recursive: true });
    const again = await daemon('', homeOf(fixture));
    expect(again.receipts().slice(0, 3)).toMatchObject([
      { action: 'log_start' },
      { action: 'recovered', kind: 'log-replaced', text: expect.stringContaining('which is not here') },
      { action: 'daemon_start' },
    ]);
    expect((await status(again)).auditFindings).toHaveLength(1);
  });

  test('has nothing to tell of when all is as it was', async () => {
    const fixture = await daemon();
    await run(fixture, 2);
    await fixture.stop();
    const again = await daemon('', homeOf(fixture));
    expect((await status(again)).auditFindings).toBeUndefined();
    await again.stop();
    expect(again.receipts('recovered')).toEqual([]);
    // Whoever holds checkpoints has the last one.
    const anchored = readFileSync(again.layout.anchorFile, 'utf8').trimEnd().split('\n').at(-1)!;
    expect(anchored).toContain(readFileSync(`${again.layout.audit}/checkpoint`, 'utf8').split('\n')[2]);
  });
});
