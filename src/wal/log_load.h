/*
 * log_load.h
 *	  Loading the logs when the server starts.
 */
#ifndef LOG_LOAD_H
#define LOG_LOAD_H

#include "log/log_state.h"

/* Fill the table of partitions from the files.  Called in the postmaster, before redo. */
extern void pgt_log_load(void);

#endif							/* LOG_LOAD_H */
