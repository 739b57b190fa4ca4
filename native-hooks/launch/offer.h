/* `gk-supervise --probe`: what the kernel offers, for `gatekeeper doctor`. */
#ifndef GK_LAUNCH_OFFER_H
#define GK_LAUNCH_OFFER_H

/* Prints one `name=value` a line on standard output: landlock-abi (0 when there is none) and, when enforcement cannot work here, missing
 * (what, and what would mend it). Returns the exit status: 0, or 125 when something is missing. */
int gk_offer_print(void);

#endif
