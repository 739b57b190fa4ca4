/**
 * What a run reads as /etc/nsswitch.conf (nsswitch.conf(5)), where the user's file has the C library ask others for hosts than its own parts: those would ask
 * services of the machine for names that the run's resolver decides, by sockets that the run does not reach, and each question would be a denial.
 * @param real the user's file; undefined when there is none that can be read
 * @returns undefined where the user's file does as it is
 */
export function nameServices(real: string | undefined): string | undefined {
  const lines = (real ?? '').split('\n');
  // Of several the C library obeys the last.
  const at = lines.findLastIndex((line) => HOSTS.test(line));
  if (at === -1) return undefined;
  const asked = (HOSTS.exec(lines[at]!)?.[1] ?? '').replace(/#.*/, '').split(/\s+/).filter(Boolean);
  if (asked.every((word) => OWN.includes(word)) && asked.includes('files') && asked.includes('dns')) return undefined;
  const order = ['files', ...(asked.includes('myhostname') ? ['myhostname'] : []), 'dns'];
  return lines.toSpliced(at, 1, `hosts: ${order.join(' ')}`).join('\n');
}

const HOSTS = /^\s*hosts\s*:(.*)$/;
/** Of the C library itself, but for the last, which knows the machine's own name and asks nobody. */
const OWN: readonly string[] = ['files', 'dns', 'myhostname'];
