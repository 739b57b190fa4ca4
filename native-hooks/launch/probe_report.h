/* `gk-supervise --probe`: what the kernel offers, for the doctor. */
#ifndef GK_LAUNCH_PROBE_REPORT_H
#define GK_LAUNCH_PROBE_REPORT_H

/* Writes lines of key=value to standard output: landlock-abi (when there is one) and missing (why no run can start, when none can).
 * Returns the exit status: 0 when runs can start, else 125. */
int gk_report_probe(void);

#endif
