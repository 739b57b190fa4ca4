/** `812`, `1.2k`, `34k`, `5.6M` bytes; decimal prefixes, as tools for networks have them. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  for (const unit of ['', 'k', 'M', 'G', 'T']) {
    if (amount < 999.5 || unit === 'T')
      return `${unit !== '' && amount < 9.95 ? amount.toFixed(1) : Math.round(amount)}${unit}`;
    amount /= 1000;
  }
  return `${bytes}`;
}

/** `12ms`, `3.4s`, `5m06s`, `2h03m` */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
}

const two = (number: number): string => String(number).padStart(2, '0');
