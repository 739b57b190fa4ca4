import { visible } from '../../core/text/visible.ts';

/** `21:32:05` today, `11-20 21:32:05` on other days of the year, `2025-11-20 21:32` before it. */
export function clockTime(time: string, { utc, now }: { utc: boolean; now: Date }): string {
  const at = parts(time, utc);
  if (!at) return visible(time.slice(0, 19));
  const today = parts(now.toISOString(), utc)!;
  if (at.date === today.date) return at.clock;
  return at.year === today.year ? `${at.date.slice(5)} ${at.clock}` : `${at.date} ${at.clock.slice(0, 5)}`;
}

/** `2026-11-21 07:00:00.123 +01:00`, in this machine's zone. */
export function localTime(time: string): string {
  const at = parts(time, false);
  return at ? `${at.date} ${at.clock}.${at.ms} ${at.zone}` : visible(time);
}

function parts(time: string, utc: boolean) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return undefined;
  const minutes = utc ? 0 : -at.getTimezoneOffset();
  const text = new Date(at.getTime() + minutes * 60_000).toISOString();
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return { year: text.slice(0, 4), date: text.slice(0, 10), clock: text.slice(11, 19), ms: text.slice(20, 23), zone };
}

const two = (number: number): string => String(number).padStart(2, '0');
