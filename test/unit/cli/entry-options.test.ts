import { describe, expect, it } from 'vitest';
import { readTime, wantedEntries } from '../../../src/cli/entry-options.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('a time', () => {
  const now = new Date(2026, 10, 21, 12, 30, 15);
  it.each([
    ['90s', new Date(2026, 10, 21, 12, 28, 45)],
    ['15m', new Date(2026, 10, 21, 12, 15, 15)],
    ['2h', new Date(2026, 10, 21, 10, 30, 15)],
    ['7d', new Date(now.getTime() - 7 * 86_400_000)],
    ['06:30', new Date(2026, 10, 21, 6, 30, 0)],
    ['2026-11-20', new Date(2026, 10, 20)],
    ['2026-11-20 06:30', new Date(2026, 10, 20, 6, 30)],
    ['2026-11-20T06:30:01Z', new Date(Date.UTC(2026, 10, 20, 6, 30, 1))],
    ['2026-11-20T06:30:01.5+02:00', new Date(Date.UTC(2026, 10, 20, 4, 30, 1, 500))],
  ])('may be %s', (text, expected) => {
    expect(readTime(text, now)).toBe(expected.getTime());
  });

  it.each(['', 'soon', '2', '25:00', '2026-13-01', '-2h', '2026-11-20T', '1e9d'])('is not %j', (text) => {
    expect(() => readTime(text, now)).toThrow(expect.objectContaining({ code: 'GK_USAGE' }));
  });
});

it('an action that there is none is an error that names those that there are', () => {
  const wanted = () => wantedEntries(temporaryDirectory(), { action: ['file_raed'] });
  expect(wanted).toThrow(expect.objectContaining({ code: 'GK_USAGE', remedy: expect.stringContaining('file_read') }));
});

it('the last run is an error while there was none', () => {
  const wanted = () => wantedEntries(temporaryDirectory(), { run: 'last' });
  expect(wanted).toThrow(expect.objectContaining({ code: 'GK_RUN_NOT_FOUND' }));
});
