/*
 * wait_limit.h
 *	  A limit of the time for which what may do anything waits: for locks, for others, for nothing at all.
 */
#ifndef WAIT_LIMIT_H
#define WAIT_LIMIT_H

/*
 * From now on what waits for so many milliseconds altogether is cancelled with ERROR, ERRCODE_QUERY_CANCELED.  The end tells whether
 * that was so; it is to be called in any case, also after an ERROR.
 */
extern void pgt_wait_limit_begin(int ms);
extern bool pgt_wait_limit_end(void);

#endif							/* WAIT_LIMIT_H */
