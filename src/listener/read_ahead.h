/*
 * read_ahead.h
 *	  Reading parts of files into the kernel's cache, beside the loop.
 */
#ifndef READ_AHEAD_H
#define READ_AHEAD_H

#include "listener/output.h"

typedef struct ReadAhead ReadAhead;

/*
 * Have a part of a file read, and done(), if it is not NULL, called in the loop when it was, or could not be.  The file
 * is held until then.  NULL if nobody can do it: whoever needs the bytes reads them by himself then.
 */
extern ReadAhead *pgt_read_ahead_begin(const OutputRange *range, void (*done) (void *arg), void *arg);

/* done() is not to be called any more. */
extern void pgt_read_ahead_forget(ReadAhead *ahead);

#endif							/* READ_AHEAD_H */
