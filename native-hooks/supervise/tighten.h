/* A policy that changes while a run goes on. What the run reads by itself, as hints ask, cannot be taken back from it. */
#ifndef GK_SUPERVISE_TIGHTEN_H
#define GK_SUPERVISE_TIGHTEN_H

#include "supervise/supervisor.h"

/* Before image is put in force. If it is stricter where files are read without the supervisor, the run is ended, or it goes on and both the user and the
 * journal are told. Where only directories are, names stay visible, which are no secret: the journal says so. */
void gk_tighten(struct gk_supervisor *supervisor, const struct gk_image *image);

#endif
